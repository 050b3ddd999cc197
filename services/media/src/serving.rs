//! Giving bytes out: conditions, ranges, and headers that keep browsers from being
//! helpful to attackers.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::{Method, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::stream;
use parlour_files::kinds::Kind;
use parlour_http::{ApiError, Head};

use crate::domain::conditions::{Conditions, Present, Verdict};
use crate::domain::range::{self, Wanted};
use crate::domain::{disposition, names};
use crate::error::Error;
use crate::state::Media;
use crate::storage::{ObjectKey, Plain, StorageError};
use crate::store::blobs;
use crate::store::reading::Opened;

/// A file that is fit to be shown by a browser may be; documents are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// To be saved.
    Saved,
    /// To be shown or played, if it is a picture or a recording.
    Inline,
}

/// One piece of an answer.
enum Piece {
    Text(Bytes),
    Part(Range<u64>),
}

/// A body that is read while it is sent.
struct Body {
    media: Arc<Media>,
    opened: Opened,
    key: ObjectKey,
    pieces: VecDeque<Piece>,
    reading: Option<Plain>,
}

impl Media {
    /// Answers a request for the bytes of `opened`.
    pub async fn serve(
        self: &Arc<Self>,
        head: &Head,
        opened: Opened,
        show: Show,
    ) -> Result<HttpResponse, ApiError> {
        let tag = self.tag(&opened);
        let modified = modified(&opened);
        let conditions = Conditions {
            if_match: head.get("if-match"),
            if_none_match: head.get("if-none-match"),
            if_modified_since: head.get("if-modified-since"),
            if_unmodified_since: head.get("if-unmodified-since"),
            if_range: head.get("if-range"),
        };
        let present = Present { tag: &tag, modified };
        let ranges = match conditions.judge(present) {
            Verdict::NotModified => return Ok(self.bare(StatusCode::NOT_MODIFIED, &opened, show)),
            Verdict::Failed => return Ok(self.bare(StatusCode::PRECONDITION_FAILED, &opened, show)),
            Verdict::Send(ranges) => ranges && head.method == Method::GET,
        };
        let size = u64::try_from(opened.size).unwrap_or_default();
        let wanted = match head.get("range").filter(|_| ranges) {
            Some(header) => range::wanted(header, size),
            None => Wanted::Whole,
        };
        match wanted {
            Wanted::Nothing => {
                let mut response = self.bare(StatusCode::RANGE_NOT_SATISFIABLE, &opened, show);
                set(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
                Ok(response)
            }
            Wanted::Whole => self.whole(head, opened, size, show).await,
            Wanted::Parts(parts) => self.parts(opened, size, parts, show).await,
        }
    }

    /// Tells the bytes of one file apart from all others, and nothing about them.
    fn tag(&self, opened: &Opened) -> String {
        let seed = format!("{}:{}", opened.shown_id, opened.blob_id);
        let index = self.vault.blind_index("files.tag", &seed);
        let short = index.get(..16).unwrap_or_default();
        format!("\"{}\"", URL_SAFE_NO_PAD.encode(short))
    }

    /// An answer without a body, with the headers that every answer about the file has.
    fn bare(&self, status: StatusCode, opened: &Opened, show: Show) -> HttpResponse {
        let mut response = HttpResponse::new(status);
        set(&mut response, header::ETAG, &self.tag(opened));
        set(
            &mut response,
            header::LAST_MODIFIED,
            &httpdate::fmt_http_date(modified(opened)),
        );
        set(&mut response, header::CACHE_CONTROL, "private, no-cache");
        set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(
            &mut response,
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; sandbox",
        );
        set(
            &mut response,
            header::CROSS_ORIGIN_RESOURCE_POLICY,
            "cross-origin",
        );
        if status.is_success() {
            let inline = show == Show::Inline && opened.kind != "document";
            let name = shown_name(opened);
            set(&mut response, header::ACCEPT_RANGES, "bytes");
            set(
                &mut response,
                header::CONTENT_DISPOSITION,
                &disposition::header(inline, &name),
            );
        }
        response
    }

    async fn whole(
        self: &Arc<Self>,
        head: &Head,
        opened: Opened,
        size: u64,
        show: Show,
    ) -> Result<HttpResponse, ApiError> {
        let mut response = self.bare(StatusCode::OK, &opened, show);
        set(&mut response, header::CONTENT_TYPE, &content_type(&opened));
        let pieces = if head.method == Method::HEAD {
            Vec::new()
        } else {
            vec![Piece::Part(0..size)]
        };
        self.send(response, opened, size, pieces).await
    }

    async fn parts(
        self: &Arc<Self>,
        opened: Opened,
        size: u64,
        parts: Vec<Range<u64>>,
        show: Show,
    ) -> Result<HttpResponse, ApiError> {
        let mut response = self.bare(StatusCode::PARTIAL_CONTENT, &opened, show);
        let kind = content_type(&opened);
        if let [part] = parts.as_slice() {
            set(&mut response, header::CONTENT_TYPE, &kind);
            set(&mut response, header::CONTENT_RANGE, &content_range(part, size));
            let length = part.end - part.start;
            return self
                .send(response, opened, length, vec![Piece::Part(part.clone())])
                .await;
        }
        let boundary = parlour_contracts::id::new().simple().to_string();
        let several = format!("multipart/byteranges; boundary={boundary}");
        set(&mut response, header::CONTENT_TYPE, &several);
        let mut pieces = Vec::new();
        let mut length = 0;
        for part in parts {
            let range = content_range(&part, size);
            let text = format!("\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: {range}\r\n\r\n");
            length += text.len() as u64 + part.end - part.start;
            pieces.push(Piece::Text(Bytes::from(text)));
            pieces.push(Piece::Part(part));
        }
        let end = format!("\r\n--{boundary}--\r\n");
        length += end.len() as u64;
        pieces.push(Piece::Text(Bytes::from(end)));
        self.send(response, opened, length, pieces).await
    }

    async fn send(
        self: &Arc<Self>,
        response: HttpResponse,
        opened: Opened,
        length: u64,
        pieces: Vec<Piece>,
    ) -> Result<HttpResponse, ApiError> {
        let place = blobs::key_place(opened.blob_id);
        let key = self.vault.open(&place, &opened.key_sealed).map_err(Error::from)?;
        let mut body = Body {
            media: self.clone(),
            opened,
            key: ObjectKey::from_bytes(&key).map_err(Error::from)?,
            pieces: pieces.into(),
            reading: None,
        };
        // What cannot be read at all should be an answer of its own.
        body.begin().await.map_err(Error::from)?;
        let stream = stream::try_unfold(body, async |mut body| {
            let piece = body.next().await.inspect_err(|error| {
                tracing::error!(%error, file = %body.opened.file_id, "a file cannot be read to its end");
            })?;
            Ok::<_, StorageError>(piece.map(|piece| (piece, body)))
        });
        Ok(response
            .set_body(SizedStream::new(length, Box::pin(stream)))
            .map_into_boxed_body())
    }
}

impl Body {
    /// Opens the next part, when that is what comes next.
    async fn begin(&mut self) -> Result<(), StorageError> {
        let Some(Piece::Part(range)) = self.pieces.iter().find(|piece| matches!(piece, Piece::Part(_)))
        else {
            return Ok(());
        };
        let size = u64::try_from(self.opened.size).unwrap_or_default();
        let read = self
            .media
            .objects
            .read(self.opened.blob_id, &self.key, size, range.clone());
        self.reading = Some(read.await?);
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        loop {
            match self.pieces.front() {
                None => return Ok(None),
                Some(Piece::Text(_)) => {
                    if let Some(Piece::Text(text)) = self.pieces.pop_front() {
                        return Ok(Some(text));
                    }
                }
                Some(Piece::Part(_)) => {
                    if self.reading.is_none() {
                        self.begin().await?;
                    }
                    if let Some(plain) = &mut self.reading
                        && let Some(bytes) = plain.next().await?
                    {
                        return Ok(Some(bytes));
                    }
                    self.reading = None;
                    self.pieces.pop_front();
                }
            }
        }
    }
}

fn set(response: &mut HttpResponse, name: header::HeaderName, value: &str) {
    if let Ok(value) = header::HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn content_range(part: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end - 1)
}

fn content_type(opened: &Opened) -> String {
    if opened.mime_type == "text/plain" {
        return "text/plain; charset=utf-8".to_owned();
    }
    opened.mime_type.clone()
}

/// Bytes never change; a file is as old as its row.
fn modified(opened: &Opened) -> SystemTime {
    let seconds = u64::try_from(opened.created_at.timestamp()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A picture that was made anew may be of another type than its name says.
fn shown_name(opened: &Opened) -> String {
    match Kind::of_mime(&opened.mime_type) {
        Some(kind) if !kind.fits_name(&opened.name) => names::with_extension(&opened.name, kind.extension()),
        _ => opened.name.clone(),
    }
}
