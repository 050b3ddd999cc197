//! A stage with people on it, and short ways to put files where a test needs them.

use chrono::{Duration, Utc};
use parlour_chassis::Context;
use parlour_contracts::Event;
use parlour_db::{DbError, Scope, Tx};
use parlour_media::check::{self, Findings};
use parlour_media::error::Error;
use parlour_media::state::Media;
use parlour_media::store::files;
use parlour_media::store::pending::Facts;
use parlour_testkit::{Answer, App, AppBuilder, Person, Request, eventually_eq};
use serde_json::Value;
use uuid::Uuid;

use crate::services;

/// A text file.
pub(crate) const TEXT: &[u8] = b"The cup shows a bird.\n";

/// People and their files.
pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) ana: Person,
    pub(crate) ben: Person,
    pub(crate) monitor: Person,
    /// The service's parts, as an operator's command has them.
    pub(crate) media: Media,
}

impl Stage {
    /// Without a broker.
    pub(crate) async fn set() -> Self {
        Self::of(App::of(&services())).await
    }

    /// Where files wait for their scan until a test ends that; see [`waiting`].
    pub(crate) async fn waiting() -> Self {
        Self::of(waiting()).await
    }

    /// With whatever the builder says.
    pub(crate) async fn of(builder: AppBuilder) -> Self {
        let app = builder.start().await;
        let (ana, ben) = (app.person("client").await, app.person("client").await);
        let monitor = app.person("monitor").await;
        let context = Context::offline(parlour_media::NAME, app.layers().clone()).unwrap();
        let media = Media::open(&context).unwrap();
        Self {
            app,
            ana,
            ben,
            monitor,
            media,
        }
    }

    /// A form for `path` by somebody.
    pub(crate) fn post(&self, by: &Person, path: &str, form: &Form) -> Request {
        let request = self.app.by(by).post(path);
        request.body("multipart/form-data; boundary=XyZ", form.body())
    }

    /// Uploads; the file as it was answered.
    pub(crate) async fn upload(&self, by: &Person, name: &str, content: &[u8]) -> Value {
        let form = Form::new().file("file", name, content);
        let answer = self.post(by, "/api/media/upload", &form).await;
        answer.expect(201).data()["file"].clone()
    }

    /// Uploads, and has it found clean.
    pub(crate) async fn ready(&self, by: &Person, name: &str, content: &[u8]) -> Uuid {
        let id = id(&self.upload(by, name, content).await);
        self.settle(id).await;
        id
    }

    /// Ends a file's wait as its scan would.
    pub(crate) async fn settle(&self, id: Uuid) {
        let media = self.media.clone();
        let work = async move |tx: &mut Tx| -> Result<(), Error> {
            let file = files::lock_any(tx, id).await?;
            media.settle_ready(tx, &file, &Facts::default()).await
        };
        self.media.db.write(Scope::Service, work).await.unwrap();
    }

    /// Has the directory know somebody, as it would from identity's events.
    pub(crate) async fn known(&self, person: &Person) {
        let sql = format!(
            "INSERT INTO media.people (id, display_name, roles, country, locale, specialities, status, version)
             VALUES ('{}', 'Somebody', '{{client}}', 'SE', 'en', '{{}}', 'active', 0) ON CONFLICT DO NOTHING",
            person.id
        );
        self.sql(&sql).await;
    }

    /// What does not agree between rows and objects.
    pub(crate) async fn findings(&self) -> Findings {
        check::check(&self.media, Utc::now() + Duration::hours(1))
            .await
            .unwrap()
    }

    /// Waits until rows and objects agree: an object that nobody needs goes a moment after its upload's answer.
    pub(crate) async fn agrees(&self) {
        eventually_eq(Findings::default(), async || self.findings().await).await;
    }

    /// Whether nothing is left of a refused upload: no row, no object, nothing used.
    pub(crate) async fn untouched(&self) {
        let rows = "SELECT (SELECT count(*) FROM media.files) + (SELECT count(*) FROM media.blobs)
            + (SELECT count(*) FROM media.holdings) + (SELECT coalesce(sum(used), 0)::bigint FROM media.quotas)";
        assert_eq!(self.count(rows).await, 0);
        eventually_eq(0, async || self.objects()).await;
        self.agrees().await;
    }

    /// `GET /api/media/files/{id}` by somebody.
    pub(crate) async fn look(&self, by: &Person, id: Uuid) -> Answer {
        self.app.by(by).get(&format!("/api/media/files/{id}")).await
    }

    /// Runs SQL as somebody whom nothing is hidden from.
    pub(crate) async fn sql(&self, sql: &str) {
        self.app
            .database()
            .admin()
            .await
            .batch_execute(sql)
            .await
            .unwrap();
    }

    /// One number that SQL answers.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let row = self.app.database().admin().await.query_one(sql, &[]).await;
        row.unwrap().get(0)
    }

    /// Objects in the store, the ones that are being written too.
    pub(crate) fn objects(&self) -> usize {
        fn files(folder: &std::path::Path) -> usize {
            let Ok(entries) = std::fs::read_dir(folder) else {
                return 0;
            };
            let count = |entry: std::fs::DirEntry| {
                if entry.path().is_dir() {
                    files(&entry.path())
                } else {
                    1
                }
            };
            entries.map(|entry| count(entry.unwrap())).sum()
        }
        files(&self.app.outbox().join("media/objects"))
    }

    /// Publishes as another service would; whose outbox it goes through is all the same to the consumer.
    pub(crate) async fn tell<E: Event + Clone + 'static>(&self, aggregate: String, event: E) {
        let publish = async move |tx: &mut Tx| -> Result<(), DbError> {
            parlour_events::publish(tx, aggregate, &event).await.map(drop)
        };
        let db = self.app.database().db("identity");
        db.write(Scope::Service, publish).await.unwrap();
    }
}

/// An app whose clamd is away: files wait for their scan until a test ends that.
pub(crate) fn waiting() -> AppBuilder {
    App::of(&services())
        .set("media.scan.clamd", "tcp://127.0.0.1:1")
        .set("media.scan.retry_seconds", 3600)
}

/// A form with files.
#[derive(Clone, Default)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With a text field.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        let part = format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        self.0.extend_from_slice(part.as_bytes());
        self
    }

    /// With a file of no stated type.
    pub(crate) fn file(self, name: &str, file_name: &str, content: &[u8]) -> Self {
        self.typed(name, file_name, "application/octet-stream", content)
    }

    /// With a file.
    pub(crate) fn typed(mut self, name: &str, file_name: &str, kind: &str, content: &[u8]) -> Self {
        let head = format!(
            "--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
             Content-Type: {kind}\r\n\r\n"
        );
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        [self.0.as_slice(), b"--XyZ--\r\n"].concat()
    }
}

/// The `id` of something.
pub(crate) fn id(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

/// The smallest picture: one pixel as PNG.
pub(crate) fn pixel() -> Vec<u8> {
    use base64::Engine as _;
    let text =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// A recording of silence as WAV: mono, 8 bits, 8,000 a second.
pub(crate) fn silence(samples: u32) -> Vec<u8> {
    let mut wav = b"RIFF".to_vec();
    wav.extend_from_slice(&(36 + samples).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend_from_slice(&8000u32.to_le_bytes());
    wav.extend_from_slice(&8000u32.to_le_bytes());
    wav.extend_from_slice(&[1, 0, 8, 0]);
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&samples.to_le_bytes());
    wav.resize(wav.len() + samples as usize, 128);
    wav
}

/// A text of so many bytes in which every place is told apart from its neighbours.
pub(crate) fn long_text(size: usize) -> Vec<u8> {
    let lines = (0..).flat_map(|n: u32| format!("{n:09}\n").into_bytes());
    lines.take(size).collect()
}

/// A photograph of 600 × 300 pixels whose EXIF says how it was held, and where.
pub(crate) fn photo(orientation: u8) -> Vec<u8> {
    use image::{ExtendedColorType, ImageEncoder as _};

    let mut exif = b"II*\0\x08\0\0\0\x02\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    exif.extend([0x0e, 0x01, 2, 0, 20, 0, 0, 0, 38, 0, 0, 0]);
    exif.extend([0; 4]);
    exif.extend(b"N 48.2 E 16.4 home\0\0");
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 92);
    encoder.set_exif_metadata(exif).unwrap();
    let half = |x: u32| u8::try_from(x * 255 / 600).unwrap();
    let picture = image::RgbImage::from_fn(600, 300, |x, y| image::Rgb([half(x), half(y), 40]));
    encoder
        .write_image(&picture, 600, 300, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}
