//! Values that stand in files, as container platforms hand out secrets:
//! `PARLOUR__DATABASE__URL_FILE=/run/secrets/url` is `database.url` with the file's content.

use std::collections::HashSet;

use crate::ConfigError;

const PREFIX: &str = "PARLOUR__";
const SUFFIX: &str = "_FILE";

/// Whether a variable names a file that holds the value.
pub(crate) fn names_a_file(variable: &str) -> bool {
    variable.starts_with(PREFIX) && variable.ends_with(SUFFIX)
}

/// The values that variables of the environment name files for, by key.
pub(crate) fn values(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let ours: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    let names: HashSet<&str> = ours.iter().map(|(name, _)| name.as_str()).collect();
    let mut values = Vec::new();
    for (name, path) in &ours {
        let Some(plain) = name.strip_suffix(SUFFIX) else {
            continue;
        };
        if names.contains(plain) {
            return Err(wrong(&format!("{plain} and {name} are both set")));
        }
        let text =
            std::fs::read_to_string(path).map_err(|error| wrong(&format!("{name}: {path}: {error}")))?;
        // Editors and `echo` end a file with a line break, which belongs to no value.
        let value = text.trim_end_matches(['\n', '\r']);
        if value.is_empty() {
            return Err(wrong(&format!("{name}: {path} is empty")));
        }
        values.push((key(plain), value.to_owned()));
    }
    Ok(values)
}

/// `PARLOUR__DATABASE__URL` is `database.url`.
fn key(name: &str) -> String {
    name.strip_prefix(PREFIX)
        .unwrap_or(name)
        .to_lowercase()
        .replace("__", ".")
}

fn wrong(sentence: &str) -> ConfigError {
    ConfigError::Unreadable(format!("configuration: {sentence}"))
}

/// The variables of the environment that are text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let owned = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        values(owned).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_read_without_its_last_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        let path = file.to_str().unwrap();
        std::fs::write(&file, "postgres://a b\n").unwrap();
        let found = read(&[
            ("PARLOUR__DATABASE__MIGRATION_URL_FILE", path),
            ("PARLOUR__HTTP__LISTEN", "x"),
            ("OTHER_FILE", "y"),
        ]);
        assert_eq!(
            found.unwrap(),
            [("database.migration_url".to_owned(), "postgres://a b".to_owned())]
        );
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty");
        let path = file.to_str().unwrap();
        std::fs::write(&file, "\n").unwrap();
        let empty = read(&[("PARLOUR__A__B_FILE", path)]).unwrap_err();
        assert_eq!(
            empty,
            format!("configuration: PARLOUR__A__B_FILE: {path} is empty")
        );
        let missing = read(&[("PARLOUR__A__B_FILE", "/nowhere")]).unwrap_err();
        assert!(
            missing.contains("PARLOUR__A__B_FILE: /nowhere: No such file"),
            "{missing}"
        );
        let twice = read(&[("PARLOUR__A__B", "1"), ("PARLOUR__A__B_FILE", path)]).unwrap_err();
        assert!(
            twice.contains("PARLOUR__A__B and PARLOUR__A__B_FILE are both set"),
            "{twice}"
        );
    }
}
