//! From a received file to its row: the content, what it costs its owner, the file and
//! the news of it, all in the caller's transaction.

use std::sync::Arc;

use parlour_db::Tx;
use parlour_events::Batch;
use parlour_http::Origin;
use serde_json::json;
use uuid::Uuid;

use crate::error::Error;
use crate::receiving::Received;
use crate::state::Media;
use crate::store::blobs::{self, Content};
use crate::store::files::{self, File};
use crate::store::quotas;
use crate::telling;

/// What is known of a file besides its bytes.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The file's id.
    pub id: Uuid,
    /// Whose it is.
    pub owner: Uuid,
    /// Why it was uploaded.
    pub purpose: &'static str,
    /// Where its owner keeps it.
    pub folder: String,
    /// What its owner says of it.
    pub description: Option<String>,
    /// Where it was uploaded for.
    pub session: Option<(Uuid, &'static str)>,
    /// How long its sender says that it plays.
    pub duration_ms: Option<i64>,
}

impl Media {
    /// Stores a received file: it waits for its scan from now on. The object stays when the
    /// transaction commits, unless the same content is there already.
    pub async fn store(
        &self,
        tx: &mut Tx,
        received: &Received,
        about: &About,
        origin: &Origin,
    ) -> Result<File, Error> {
        let stored = self.insert(tx, received, about).await;
        let file = match stored {
            Ok(file) => file,
            Err(error) => {
                received.object.set_known(false);
                return Err(error);
            }
        };
        let after = json!({ "kind": file.kind, "mime_type": file.mime_type, "size": file.size, "purpose": file.purpose });
        let line = telling::entry(origin, "file.upload", ("file", file.id), (None, Some(after)));
        let news = Batch::default().event(telling::aggregate(file.id), &telling::uploaded(&file));
        news.audit(line).write(tx).await?;
        let pending = self.pending.clone();
        tx.on_commit(move || pending.notify_one());
        Ok(file)
    }

    async fn insert(&self, tx: &mut Tx, received: &Received, about: &About) -> Result<File, Error> {
        let quota = quotas::lock(tx, about.owner, self.settings.quota_bytes).await?;
        let blob_id = self.blob(tx, received).await?;
        let size = i64::try_from(received.size).unwrap_or(i64::MAX);
        let held = quotas::hold(tx, about.owner, blob_id, size).await?;
        if held.fresh && held.used > quota.allowed {
            return Err(Error::Quota(quota.allowed));
        }
        let file = self.row(received, about, blob_id, size)?;
        files::insert(tx, &file, Some(file.created_at)).await?;
        Ok(file)
    }

    /// The blob with the received content: the received object's own, or the one that is there.
    pub async fn blob(&self, tx: &mut Tx, received: &Received) -> Result<Uuid, Error> {
        let object = received.object.id();
        let key_sealed = self
            .vault
            .seal(&blobs::key_place(object), received.key.as_bytes())?;
        let content = Content {
            object,
            fingerprint: &self.fingerprint(&received.digest),
            size: i64::try_from(received.size).unwrap_or(i64::MAX),
            key_sealed: &key_sealed,
        };
        let blob = blobs::add(tx, &content, self.now()).await?;
        received.object.set_known(blob == object);
        Ok(blob)
    }

    /// The keyed index of a content, by its SHA-256.
    pub fn fingerprint(&self, digest: &[u8; 32]) -> Vec<u8> {
        self.vault.blind_index("blobs.fingerprint", &hex(digest))
    }

    fn row(&self, received: &Received, about: &About, blob_id: Uuid, size: i64) -> Result<File, Error> {
        let (id, kind) = (about.id, received.kind);
        let description = about.description.as_deref().filter(|text| !text.is_empty());
        let place = File::description_place(id);
        let sealed = description
            .map(|text| self.vault.seal_text(&place, text))
            .transpose()?;
        Ok(File {
            id,
            owner_id: about.owner,
            blob_id,
            name: received.name.clone(),
            mime_type: kind.mime().to_owned(),
            kind: kind.group().name().to_owned(),
            size,
            purpose: about.purpose.to_owned(),
            folder: about.folder.clone(),
            description_sealed: sealed,
            checksum_sealed: self.vault.seal(&File::checksum_place(id), &received.digest)?,
            status: "pending".to_owned(),
            session_id: about.session.map(|(id, _)| id),
            session_kind: about
                .session
                .map(|(_, kind)| kind.to_owned())
                .filter(|kind| !kind.is_empty()),
            width: received.dimensions.map(|(width, _)| width),
            height: received.dimensions.map(|(_, height)| height),
            duration_ms: about.duration_ms,
            codec: None,
            channels: None,
            waveform: None,
            source_id: None,
            recipe: None,
            created_at: self.now(),
            deleted_at: None,
        })
    }
}

/// Received files that a transaction takes with it.
pub type Shared = Arc<Received>;

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
