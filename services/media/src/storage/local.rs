//! What a process that died leaves behind in a folder: files that were being written.
//! The store does not list them.

use std::path::Path;
use std::time::{Duration, SystemTime};

/// Removes files below `folder` that were begun, never finished, and not written to for
/// `age`. Answers how many. Blocks.
pub fn sweep_unfinished(folder: &Path, age: Duration) -> std::io::Result<usize> {
    let mut swept = 0;
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            swept += sweep_unfinished(&entry.path(), age)?;
        } else if kind.is_file() && is_unfinished(&entry.file_name().to_string_lossy()) {
            let written = entry.metadata()?.modified()?;
            let old = SystemTime::now().duration_since(written).unwrap_or_default();
            if old >= age {
                std::fs::remove_file(entry.path())?;
                swept += 1;
            }
        }
    }
    Ok(swept)
}

/// The store writes to `name#1` and renames that.
fn is_unfinished(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_never_finished_goes() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("ab");
        std::fs::create_dir(&inner).unwrap();
        for name in ["x", "y#1", "z#", "w#12"] {
            std::fs::write(inner.join(name), b"1").unwrap();
        }
        assert_eq!(
            sweep_unfinished(folder.path(), Duration::from_hours(1)).unwrap(),
            0
        );
        assert_eq!(sweep_unfinished(folder.path(), Duration::ZERO).unwrap(), 2);
        assert!(inner.join("x").exists() && inner.join("z#").exists());
        assert_eq!(
            sweep_unfinished(&folder.path().join("none"), Duration::ZERO).unwrap(),
            0
        );
    }
}
