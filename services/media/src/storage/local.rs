//! What a process that died leaves behind in a folder: files that were being written.
//! The store does not list them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files below `folder` that were begun, never finished, and not written to since `before`. Blocks.
pub fn unfinished(folder: &Path, before: SystemTime) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.append(&mut unfinished(&entry.path(), before)?);
        } else if kind.is_file() && is_unfinished(&entry.file_name().to_string_lossy()) {
            // One that has its name by now is finished.
            match entry.metadata().and_then(|metadata| metadata.modified()) {
                Ok(written) if written <= before => found.push(entry.path()),
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Removes them. Answers how many there were. Blocks.
pub fn sweep_unfinished(folder: &Path, before: SystemTime) -> std::io::Result<usize> {
    let found = unfinished(folder, before)?;
    for path in &found {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(found.len())
}

/// The store writes to `name#1` and renames that.
fn is_unfinished(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_was_never_finished_goes() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("ab");
        std::fs::create_dir(&inner).unwrap();
        for name in ["x", "y#1", "z#", "w#12"] {
            std::fs::write(inner.join(name), b"1").unwrap();
        }
        let now = SystemTime::now();
        let sweep = |folder: &Path, before| sweep_unfinished(folder, before).unwrap();
        assert_eq!(sweep(folder.path(), now - Duration::from_hours(1)), 0);
        assert_eq!(unfinished(folder.path(), now).unwrap().len(), 2);
        assert_eq!(sweep(folder.path(), now), 2);
        assert!(inner.join("x").exists() && inner.join("z#").exists());
        assert_eq!(sweep(&folder.path().join("none"), now), 0);
    }
}
