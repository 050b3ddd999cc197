//! `[media]`

use chrono::Duration;
use parlour_config::{Environment, Part};
use secrecy::SecretString;
use serde::Deserialize;

/// The service's configuration; `config.default.toml` says what each value means.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Settings {
    pub public_url: String,
    pub link_hours: u32,
    pub restore_days: u32,
    pub quota_bytes: i64,
    pub upload_slots: u16,
    pub files_per_request: u16,
    pub resumable_hours: u32,
    pub resumable_uploads: u16,
    pub orphan_minutes: u32,
    pub most_bytes: MostBytes,
    pub pictures: Pictures,
    pub scan: Scan,
    pub storage: Storage,
}

/// Where pictures are decoded.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Pictures {
    pub slots: u16,
    pub queue: u16,
    pub seconds: u32,
}

/// How files are scanned.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Scan {
    pub upload_bytes: u64,
    pub seconds: u32,
}

/// The largest file of each kind.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct MostBytes {
    pub image: u64,
    pub audio: u64,
    pub video: u64,
    pub document: u64,
}

impl MostBytes {
    /// The largest file of any kind.
    pub fn any(self) -> u64 {
        self.image.max(self.audio).max(self.video).max(self.document)
    }
}

/// Where bytes are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Storage {
    pub url: String,
    pub fsync: bool,
    pub region: String,
    pub endpoint: String,
    pub virtual_hosted: bool,
    pub access_key_id: Option<SecretString>,
    pub secret_access_key: Option<SecretString>,
}

impl Settings {
    /// How long a link opens a file.
    pub fn link(&self) -> Duration {
        Duration::hours(self.link_hours.into())
    }

    /// How long a deleted file can be brought back.
    pub fn restore(&self) -> Duration {
        Duration::days(self.restore_days.into())
    }

    /// How long an upload that can be resumed waits for its rest.
    pub fn resumable(&self) -> Duration {
        Duration::hours(self.resumable_hours.into())
    }

    /// How old an object without a row is before it is removed.
    pub fn orphan(&self) -> Duration {
        Duration::minutes(self.orphan_minutes.into())
    }
}

impl Part for Settings {
    fn problems(&self, environment: Environment) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |fine: bool, problem: &str| {
            if !fine {
                problems.push(problem.to_owned());
            }
        };
        let production = environment.is_production();
        let web = self.public_url.starts_with("http://") || self.public_url.starts_with("https://");
        require(web, "public_url must begin with http:// or https://");
        let safe = !production || self.public_url.starts_with("https://");
        require(safe, "public_url must begin with https:// in production");
        for (name, value) in [
            ("link_hours", self.link_hours),
            ("restore_days", self.restore_days),
            ("resumable_hours", self.resumable_hours),
            ("upload_slots", self.upload_slots.into()),
            ("files_per_request", self.files_per_request.into()),
            ("resumable_uploads", self.resumable_uploads.into()),
            ("pictures.slots", self.pictures.slots.into()),
            ("pictures.seconds", self.pictures.seconds),
            ("scan.seconds", self.scan.seconds),
        ] {
            require(
                (1..=100_000).contains(&value),
                &format!("{name} must be from 1 to 100000"),
            );
        }
        require(
            self.files_per_request <= 50,
            "files_per_request must be at most 50",
        );
        require(self.orphan_minutes >= 31, "orphan_minutes must be at least 31");
        require(self.quota_bytes >= 0, "quota_bytes must not be negative");
        require(
            (1..=1 << 40).contains(&self.most_bytes.any()),
            "most_bytes must be from 1 byte to 1 TiB",
        );
        let storage = &self.storage;
        let known = storage.url.starts_with("s3://") || storage.url.starts_with("file:");
        require(known, "storage.url must begin with file: or s3://");
        let absolute =
            !production || !storage.url.starts_with("file:") || storage.url.starts_with("file:///");
        require(
            absolute,
            "storage.url must begin with file:/// or s3:// in production",
        );
        let open = production && storage.endpoint.starts_with("http://");
        require(!open, "storage.endpoint must begin with https:// in production");
        problems
    }
}
