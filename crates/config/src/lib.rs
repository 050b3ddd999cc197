//! Configuration in three layers, the later over the former: defaults embedded in
//! the binary, a TOML file, the environment (`PARLOUR__GATEWAY__LISTEN` is
//! `gateway.listen`, and `PARLOUR__DATABASE__URL_FILE` names a file that holds
//! `database.url`). Each part is read once at start into a typed, checked struct.

mod files;

use std::path::{Path, PathBuf};

use config::{Config, Environment as EnvironmentSource, File, FileFormat};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Where the program runs. Production refuses what only development may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// A laptop or a test: embedded stand-ins are allowed.
    Development,
    /// Real people.
    Production,
}

impl Environment {
    /// Whether real people are served.
    pub fn is_production(self) -> bool {
        self == Environment::Production
    }
}

/// Why the configuration cannot be used. The text is meant for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A layer cannot be read, or a value has the wrong type.
    #[error("{0}")]
    Unreadable(String),
    /// Values that are readable but wrong, one sentence each.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
}

/// A part of the configuration that can say what is wrong with it.
pub trait Part: DeserializeOwned {
    /// One sentence for each value that must not be, naming its key without the part's own name.
    fn problems(&self, _environment: Environment) -> Vec<String> {
        Vec::new()
    }
}

/// The layers, merged.
#[derive(Clone, Debug)]
pub struct Layers {
    config: Config,
    environment: Environment,
    file: Option<PathBuf>,
}

impl Layers {
    /// Merges the embedded `defaults`, `file` when there is one, and the environment.
    pub fn load(defaults: &[&str], file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::merge(defaults, file, &[], true)
    }

    /// The defaults with `overrides` (`key`, `value`) over them, and neither file nor environment: for tests.
    pub fn fixed(defaults: &[&str], overrides: &[(&str, &str)]) -> Result<Self, ConfigError> {
        Self::merge(defaults, None, overrides, false)
    }

    fn merge(
        defaults: &[&str],
        file: Option<&Path>,
        overrides: &[(&str, &str)],
        environment: bool,
    ) -> Result<Self, ConfigError> {
        let mut builder = Config::builder();
        for text in defaults {
            builder = builder.add_source(File::from_str(text, FileFormat::Toml));
        }
        if let Some(path) = file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml));
        }
        if environment {
            let source = EnvironmentSource::with_prefix("PARLOUR")
                .prefix_separator("__")
                .separator("__")
                .source(Some(
                    files::environment()
                        .filter(|(name, _)| !files::names_a_file(name))
                        .collect(),
                ))
                .try_parsing(true);
            builder = builder.add_source(source);
            for (key, value) in files::values(files::environment())? {
                builder = builder.set_override(key, value).map_err(unreadable)?;
            }
        }
        for (key, value) in overrides {
            builder = builder.set_override(key, *value).map_err(unreadable)?;
        }
        let config = builder.build().map_err(unreadable)?;
        let environment = config.get("environment").map_err(unreadable)?;
        Ok(Self {
            config,
            environment,
            file: file.map(Path::to_owned),
        })
    }

    /// Where the program runs.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// The file that was read, if one was.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The part under `key`, checked.
    pub fn part<P: Part>(&self, key: &str) -> Result<P, ConfigError> {
        let part: P = self.config.get(key).map_err(unreadable)?;
        let problems: Vec<String> = part
            .problems(self.environment)
            .into_iter()
            .map(|problem| format!("{key}.{problem}"))
            .collect();
        if problems.is_empty() {
            Ok(part)
        } else {
            Err(ConfigError::Invalid(problems))
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn unreadable(error: config::ConfigError) -> ConfigError {
    ConfigError::Unreadable(format!("configuration: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use secrecy::{ExposeSecret as _, SecretString};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Door {
        listen: String,
        limit: u32,
        key: SecretString,
    }

    impl Part for Door {
        fn problems(&self, environment: Environment) -> Vec<String> {
            let open = environment.is_production() && self.listen.starts_with("0.0.0.0");
            open.then(|| "listen must not be open".to_owned())
                .into_iter()
                .collect()
        }
    }

    const DEFAULTS: &str =
        "environment = 'development'\n[door]\nlisten = '127.0.0.1:1'\nlimit = 3\nkey = 'hush'";

    #[test]
    fn a_later_layer_wins() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "[door]\nlimit = 7").unwrap();
        let door: Door = Layers::load(&[DEFAULTS], Some(file.path()))
            .unwrap()
            .part("door")
            .unwrap();
        assert_eq!((door.listen.as_str(), door.limit), ("127.0.0.1:1", 7));
        assert_eq!(door.key.expose_secret(), "hush");
        let layers = Layers::fixed(&[DEFAULTS], &[("door.limit", "9")]).unwrap();
        assert_eq!(layers.part::<Door>("door").unwrap().limit, 9);
    }

    #[test]
    fn mistakes_are_named_and_secrets_are_not() {
        let typo = Layers::fixed(&[DEFAULTS], &[("door.lisen", "x")]).unwrap();
        assert!(
            typo.part::<Door>("door")
                .unwrap_err()
                .to_string()
                .contains("lisen")
        );
        let open = [("environment", "production"), ("door.listen", "0.0.0.0:1")];
        let error = Layers::fixed(&[DEFAULTS], &open)
            .unwrap()
            .part::<Door>("door")
            .unwrap_err();
        assert_eq!(error.to_string(), "door.listen must not be open");
        let door: Door = Layers::fixed(&[DEFAULTS], &[]).unwrap().part("door").unwrap();
        assert!(!format!("{door:?}").contains("hush"));
    }
}
