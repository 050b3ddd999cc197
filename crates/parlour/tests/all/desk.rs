//! Where an operator sits: the binary with a configuration.

use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

/// Runs `parlour` with engines of the test's and secrets of its own.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    /// With these addresses. That of the database comes by file, as in a container.
    pub(crate) fn new(database_url: &str, broker_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("database_url"), format!("{database_url}\n")).unwrap();
        std::fs::write(file("parlour.toml"), configuration(broker_url)).unwrap();
        Self { folder }
    }

    /// The command, not yet run, with neither this checkout's configuration nor this shell's.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlour"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PARLOUR") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PARLOUR_CONFIG", self.folder.path().join("parlour.toml"))
            .env(
                "PARLOUR__DATABASE__URL_FILE",
                self.folder.path().join("database_url"),
            )
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints, when it succeeds.
    pub(crate) fn print(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "parlour {}: {said}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains of, when it fails.
    pub(crate) fn complain(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            !output.status.success(),
            "parlour {} should fail",
            arguments.join(" ")
        );
        String::from_utf8(output.stderr).unwrap()
    }
}

/// What has no default, with fresh keys.
pub(crate) fn configuration(broker_url: &str) -> String {
    let key = || STANDARD.encode(rand::random::<[u8; 32]>());
    let keys = |part: &str| {
        let (key, index) = (key(), key());
        format!("[{part}]\nactive = 'k1'\nindex_key = '{index}'\nkeys.k1 = '{key}'\n")
    };
    let (vault, contacts, internal) = (keys("vault"), keys("contacts"), key());
    format!("{vault}{contacts}[internal]\nkey = '{internal}'\n[broker]\nurl = '{broker_url}'\n")
}
