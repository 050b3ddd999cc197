//! `[media]`

use chrono::Duration;
use parlour_config::{Environment, Part};
use parlour_files::scan::clamd::Address;
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
    pub whole_bytes: u64,
    pub files_per_request: u16,
    pub resumable_hours: u32,
    pub resumable_uploads: u16,
    pub orphan_minutes: u32,
    pub most_bytes: MostBytes,
    pub pictures: Pictures,
    pub scan: Scan,
    pub storage: Storage,
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

/// How files are scanned.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Scan {
    pub upload_bytes: u64,
    pub clamd: String,
    pub clamd_seconds: u16,
    pub rules_seconds: u16,
    pub most_bytes: u64,
    pub at_once: u16,
    pub lease_seconds: u32,
    pub retry_seconds: u32,
    pub poll_ms: u32,
}

/// How pictures are worked on.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents them")]
pub struct Pictures {
    pub slots: u16,
    pub queue: u16,
    pub seconds: u16,
    pub megapixels: u32,
    pub frames: u32,
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
        problems.extend(self.scan_problems());
        problems
    }
}

impl Settings {
    fn scan_problems(&self) -> Vec<String> {
        let (scan, pictures) = (&self.scan, &self.pictures);
        let known = scan.clamd.is_empty() || scan.clamd.parse::<Address>().is_ok();
        let seconds = [scan.clamd_seconds, scan.rules_seconds, pictures.seconds];
        [
            (known, "scan.clamd must be tcp://host:port or unix:/path"),
            (
                self.most_bytes.any() <= scan.most_bytes && scan.most_bytes <= 1 << 30,
                "scan.most_bytes must be at least the largest of most_bytes, and at most 1 GiB",
            ),
            (
                (self.most_bytes.any()..=1 << 40).contains(&self.whole_bytes),
                "whole_bytes must be at least the largest of most_bytes, and at most 1 TiB",
            ),
            (
                seconds.into_iter().all(|value| (1..=3600).contains(&value)),
                "scan.clamd_seconds, scan.rules_seconds and pictures.seconds must be from 1 to 3600",
            ),
            (
                (1..=3600).contains(&scan.lease_seconds),
                "scan.lease_seconds must be from 1 to 3600",
            ),
            (
                (1..=64).contains(&scan.at_once) && (1..=64).contains(&pictures.slots),
                "scan.at_once and pictures.slots must be from 1 to 64",
            ),
            (
                (1..=3600).contains(&scan.retry_seconds) && (10..=3_600_000).contains(&scan.poll_ms),
                "scan.retry_seconds must be from 1 to 3600, scan.poll_ms from 10 to 3600000",
            ),
            (
                (1..=1000).contains(&pictures.megapixels) && pictures.frames >= 1,
                "pictures.megapixels must be from 1 to 1000, pictures.frames at least 1",
            ),
        ]
        .into_iter()
        .filter(|(fine, _)| !fine)
        .map(|(_, problem)| problem.to_owned())
        .collect()
    }
}
