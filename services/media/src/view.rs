//! Files as the API tells of them.

use std::collections::HashMap;

use parlour_db::Conn;
use parlour_http::Time;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::store::files::File;
use crate::store::renditions::{self, Rendition, VIEW};
use crate::storing::hex;

/// A small picture of a file.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ThumbnailView {
    /// `small`, `medium` or `large`.
    pub size: String,
    pub width: i32,
    pub height: i32,
    pub mime_type: String,
    /// Opens it for a while, without a header.
    pub url: String,
}

/// A file.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct FileView {
    pub id: Uuid,
    pub name: String,
    /// Told by the content.
    pub mime_type: String,
    pub size: i64,
    /// `image`, `audio`, `video` or `document`.
    pub kind: String,
    /// Of a picture, in pixels.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Of a recording, in seconds.
    pub duration: Option<f64>,
    /// Of a voice note: a hundred points from 0 to 255.
    pub waveform: Option<Vec<u8>>,
    /// Where its owner keeps it; others are not told.
    pub folder: Option<String>,
    pub description: Option<String>,
    /// `pending`, `ready`, `quarantined` or `deleted`.
    pub status: String,
    /// Of the bytes that the caller can download; null where those are made anew.
    pub checksum_sha256: Option<String>,
    /// Opens it for a while, without a header; null where there is nothing to open.
    pub url: Option<String>,
    pub thumbnails: Vec<ThumbnailView>,
    pub owner_id: Uuid,
    pub session_id: Option<Uuid>,
    pub created_at: Time,
    pub deleted_at: Option<Time>,
}

/// `{file}`
#[derive(Debug, Serialize, ToSchema)]
pub struct FileData {
    /// The file.
    pub file: FileView,
}

impl Media {
    /// Files as `viewer` sees them.
    pub async fn show(
        &self,
        conn: &mut Conn,
        files: &[File],
        viewer: Option<Uuid>,
    ) -> Result<Vec<FileView>, Error> {
        let pictures: Vec<Uuid> = files
            .iter()
            .filter(|file| file.kind == "image")
            .map(|file| file.id)
            .collect();
        let mut made: HashMap<Uuid, Vec<Rendition>> = HashMap::new();
        for rendition in renditions::of_files(conn, &pictures).await? {
            made.entry(rendition.file_id).or_default().push(rendition);
        }
        let shown = files.iter().map(|file| {
            let renditions = made.get(&file.id).map(Vec::as_slice).unwrap_or_default();
            self.show_one(file, renditions, viewer)
        });
        shown.collect()
    }

    /// One file as `viewer` sees it.
    pub fn show_one(&self, file: &File, made: &[Rendition], viewer: Option<Uuid>) -> Result<FileView, Error> {
        let own = viewer == Some(file.owner_id);
        let original = own || file.kind != "image";
        let open = file.deleted_at.is_none() && file.status != "quarantined";
        let description = file.description_sealed.as_deref();
        let place = File::description_place(file.id);
        let checksum = original.then(|| {
            self.vault
                .open(&File::checksum_place(file.id), &file.checksum_sealed)
        });
        let thumbnails = made.iter().filter(|made| made.name != VIEW && open);
        Ok(FileView {
            id: file.id,
            name: file.name.clone(),
            mime_type: file.mime_type.clone(),
            size: file.size,
            kind: file.kind.clone(),
            width: file.width,
            height: file.height,
            duration: file.duration_ms.map(seconds),
            waveform: file.waveform.clone(),
            folder: own.then(|| file.folder.clone()),
            description: description
                .map(|sealed| self.vault.open_text(&place, sealed))
                .transpose()?,
            status: file.shown_status().to_owned(),
            checksum_sha256: checksum.transpose()?.map(|digest| hex(&digest)),
            url: open.then(|| self.link(file.id)),
            thumbnails: thumbnails.map(|made| self.thumbnail(made)).collect(),
            owner_id: file.owner_id,
            session_id: file.session_id,
            created_at: file.created_at.into(),
            deleted_at: file.deleted_at.map(Time::from),
        })
    }

    /// A thumbnail.
    pub fn thumbnail(&self, made: &Rendition) -> ThumbnailView {
        let (size, _) = made.name.split_once('.').unwrap_or((&made.name, ""));
        ThumbnailView {
            size: size.to_owned(),
            width: made.width,
            height: made.height,
            mime_type: made.mime_type.clone(),
            url: self.link(made.id),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "recordings are far shorter than 2^52 milliseconds"
)]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}
