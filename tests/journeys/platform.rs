//! Processes of the binary on a database and a vhost of the test's own.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parlour_config::Layers;
use parlour_testkit::{Database, Vhost, free_address};
use serde_json::{Value, json};

use crate::people::account;
use crate::process::Process;

/// The engines and the configuration that all processes of a test share.
pub(crate) struct Platform {
    database: Database,
    vhost: Vhost,
    folder: tempfile::TempDir,
}

impl Platform {
    /// Makes database, vhost and configuration; nothing runs yet.
    pub(crate) async fn new() -> Self {
        let services = parlour::services::all();
        let platform = Self {
            database: Database::of(&services).await,
            vhost: Vhost::create().await,
            folder: tempfile::tempdir().unwrap(),
        };
        let secret = || STANDARD.encode(rand::random::<[u8; 32]>());
        let mut toml = String::from("environment = 'development'\n");
        let (database, broker) = (platform.database.url(None), platform.vhost.url(None));
        write!(
            toml,
            "[database]\nurl = '{database}'\npool_size = 8\n[broker]\nurl = '{broker}'\n"
        )
        .unwrap();
        write!(
            toml,
            "[internal]\nkey = '{}'\n[http]\nworkers = 1\ndrain_seconds = 2\n",
            secret()
        )
        .unwrap();
        for vault in ["vault", "contacts"] {
            let (key, index) = (secret(), secret());
            write!(
                toml,
                "[{vault}]\nactive = 'k'\nindex_key = '{index}'\nkeys = {{ k = '{key}' }}\n"
            )
            .unwrap();
        }
        let outbox = platform.folder.path().join("outbox");
        let media = platform.folder.path().join("media");
        writeln!(toml, "[media.storage]\nurl = 'file:{}'", media.display()).unwrap();
        // Every process has sockets, and nobody connects to them here.
        writeln!(toml, "[chat.sockets]\nlisten = '127.0.0.1:0'").unwrap();
        write!(toml, "[development]\noutbox = '{}'\n[limits]\n", outbox.display()).unwrap();
        for class in ["general", "auth", "upload"] {
            writeln!(
                toml,
                "{class} = {{ requests = 1000000, seconds = 1, burst = 1000000 }}"
            )
            .unwrap();
        }
        std::fs::write(platform.folder.path().join("parlour.toml"), toml).unwrap();
        platform
    }

    /// Everything in one process.
    pub(crate) async fn everything(&self) -> Process {
        self.whole(&[]).await
    }

    /// Everything in one process that listens at `beside` too, for processes elsewhere.
    pub(crate) async fn everything_and(&self, beside: SocketAddr) -> Process {
        let listen = ("PARLOUR__HTTP__LISTEN", beside.to_string());
        let also = ("PARLOUR__HTTP__BESIDE_GATEWAY", "true".to_owned());
        self.whole(&[listen, also]).await
    }

    /// Everything in one process, with live connections, and with files that are reached
    /// through its gateway.
    pub(crate) async fn live(&self, more: &[(&str, String)]) -> Process {
        let (address, sockets) = (free_address(), free_address());
        let url = format!("http://{address}");
        let mut environment = vec![
            ("PARLOUR__CHAT__SOCKETS__LISTEN", sockets.to_string()),
            (
                "PARLOUR__GATEWAY__UPSTREAMS__SOCKETS",
                format!("http://{sockets}"),
            ),
            ("PARLOUR__CHAT__PUBLIC_URL", url.clone()),
            ("PARLOUR__CHAT__MEDIA_URL", url.clone()),
            ("PARLOUR__MEDIA__PUBLIC_URL", url),
        ];
        environment.extend_from_slice(more);
        self.at(address, &environment).await
    }

    async fn whole(&self, more: &[(&str, String)]) -> Process {
        self.at(free_address(), more).await
    }

    async fn at(&self, address: SocketAddr, more: &[(&str, String)]) -> Process {
        let mut environment = vec![
            ("PARLOUR__GATEWAY__LISTEN", address.to_string()),
            ("PARLOUR__GATEWAY__INTERNAL_LISTEN", free_address().to_string()),
        ];
        environment.extend_from_slice(more);
        self.start(&[], address, "/health", &environment).await
    }

    /// A replica of identity at `address`.
    pub(crate) async fn identity(&self, address: SocketAddr) -> Process {
        let internal = free_address().to_string();
        let environment = [
            ("PARLOUR__HTTP__LISTEN", address.to_string()),
            ("PARLOUR__HTTP__INTERNAL_LISTEN", internal),
        ];
        self.start(&["identity"], address, "/-/ready", &environment).await
    }

    /// Notify alone, which asks identity there. A delivery that a dead process had is taken
    /// up by the next one after ten seconds.
    pub(crate) async fn notify(&self, identity: SocketAddr) -> Process {
        let address = free_address();
        let environment = [
            ("PARLOUR__HTTP__LISTEN", address.to_string()),
            ("PARLOUR__HTTP__INTERNAL_LISTEN", free_address().to_string()),
            ("PARLOUR__AUTH__IDENTITY_URL", format!("http://{identity}")),
            ("PARLOUR__NOTIFY__DISPATCH__LEASE_SECONDS", "10".to_owned()),
        ];
        let process = self.start(&["notify"], address, "/-/ready", &environment).await;
        // What is published before its queue stands is not for it.
        self.vhost.consumed("parlour.notify").await;
        process
    }

    /// Media alone at `address`, which asks identity there.
    pub(crate) async fn media(&self, address: SocketAddr, identity: SocketAddr) -> Process {
        let environment = [
            ("PARLOUR__HTTP__LISTEN", address.to_string()),
            ("PARLOUR__HTTP__INTERNAL_LISTEN", free_address().to_string()),
            ("PARLOUR__AUTH__IDENTITY_URL", format!("http://{identity}")),
        ];
        self.start(&["media"], address, "/-/ready", &environment).await
    }

    /// A gateway before replicas of identity.
    pub(crate) async fn gateway(&self, identity: &[SocketAddr]) -> Process {
        let address = free_address();
        let upstreams: Vec<String> = identity.iter().map(|a| format!("http://{a}")).collect();
        let environment = [
            ("PARLOUR__GATEWAY__LISTEN", address.to_string()),
            ("PARLOUR__GATEWAY__INTERNAL_LISTEN", free_address().to_string()),
            ("PARLOUR__GATEWAY__UPSTREAMS__IDENTITY", upstreams.join(",")),
            ("PARLOUR__AUTH__IDENTITY_URL", upstreams[0].clone()),
        ];
        self.start(&["gateway"], address, "/health", &environment).await
    }

    /// The lines of a file of the development outbox, as JSON.
    pub(crate) fn outbox(&self, file: &str) -> Vec<Value> {
        let path = self.folder.path().join("outbox").join(file);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    /// A client who registered and one account for each of `roles`, as JSON: by role, e-mail
    /// address and password.
    pub(crate) async fn people(&self, process: &Process, roles: &[&str]) -> String {
        let mut client = account("client");
        client["first_name"] = json!("Amal");
        let registering = process.client().post("/api/auth/register").json(&client);
        registering.await.expect(201);
        let mut people = json!({ "client": account("client") });
        for role in roles {
            self.make(role, &[role]);
            people[*role] = account(role);
        }
        people.to_string()
    }

    /// The engines, and the folder with everything that the processes wrote.
    pub(crate) fn kept(&self) -> (&Database, &Vhost, &Path) {
        (&self.database, &self.vhost, self.folder.path())
    }

    /// The first column of what a query of the administrator's finds, as texts.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let rows = self.database.admin().await.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Runs an operator's command and answers what it printed.
    pub(crate) fn operator(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).stderr(Stdio::piped()).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What an operator's command printed, whether it succeeded or not.
    pub(crate) fn printed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).stderr(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a statement of the administrator's.
    pub(crate) async fn execute(&self, sql: &str) {
        self.database.admin().await.batch_execute(sql).await.unwrap();
    }

    /// The configuration of all processes.
    pub(crate) fn layers(&self) -> Layers {
        let file = self.folder.path().join("parlour.toml");
        parlour_chassis::layers(&parlour::services::all(), Some(&file)).unwrap()
    }

    /// The folder of media's objects.
    pub(crate) fn objects(&self) -> PathBuf {
        self.folder.path().join("media/objects")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlour"));
        command
            .args(arguments)
            .env("PARLOUR_CONFIG", self.folder.path().join("parlour.toml"));
        command.stdin(Stdio::null());
        command
    }

    pub(crate) async fn start(
        &self,
        services: &[&str],
        address: SocketAddr,
        ready: &str,
        environment: &[(&str, String)],
    ) -> Process {
        let log = self.folder.path().join(format!("{}.log", address.port()));
        let mut command = self.command(&[&["run"], services].concat());
        command.envs(environment.iter().map(|(name, value)| (*name, value.as_str())));
        Process::start(command, address, log, ready).await
    }
}
