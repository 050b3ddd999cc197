//! Forms with files (`multipart/form-data`, RFC 7578), read piece by piece. What waits
//! to be taken is never more than a piece of the body and a boundary.

mod header;
mod parser;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use aws_lc_rs::digest::{Context, SHA256};

pub use header::Part;
use parser::{Event, Parser};

use crate::{ApiError, Arriving, Call, Extract, code};

/// The most parts of a form.
const MOST_PARTS: usize = 100;

/// A form that is still arriving.
pub struct Multipart {
    body: Arriving,
    parser: Parser,
    parts: usize,
    in_part: bool,
}

impl Extract for Multipart {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let kind = call.header("content-type").unwrap_or_default();
        let Some(boundary) = header::boundary(kind) else {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                code::UNSUPPORTED_MEDIA_TYPE,
                "Send a form with the content type multipart/form-data.",
            ));
        };
        Ok(Self {
            parser: Parser::new(&boundary),
            body: Arriving::extract(call).await?,
            parts: 0,
            in_part: false,
        })
    }
}

impl Multipart {
    /// The next part; what was not read of the former one is passed over. `None` after the last.
    pub async fn next_part(&mut self) -> Result<Option<Part>, ApiError> {
        while self.in_part {
            self.chunk().await?;
        }
        match self.event().await? {
            Event::Part(lines) => {
                self.parts += 1;
                if self.parts > MOST_PARTS {
                    return Err(ApiError::field("body", "has too many parts"));
                }
                self.in_part = true;
                let part = header::part(&lines);
                part.map(Some)
                    .ok_or_else(|| ApiError::field("body", "has a part without a name"))
            }
            _ => Ok(None),
        }
    }

    /// The next piece of the part; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        if !self.in_part {
            return Ok(None);
        }
        if let Event::Data(data) = self.event().await? {
            return Ok(Some(data));
        }
        self.in_part = false;
        Ok(None)
    }

    /// The whole part as text of at most so many characters. `name` is for the refusal.
    pub async fn text(&mut self, name: &str, most: usize) -> Result<String, ApiError> {
        let mut bytes = Vec::new();
        while let Some(data) = self.chunk().await? {
            if bytes.len() + data.len() > most.saturating_mul(4) {
                return Err(too_long(name, most));
            }
            bytes.extend_from_slice(&data);
        }
        let text = String::from_utf8(bytes).map_err(|_| ApiError::field(name, "is not valid UTF-8"))?;
        if text.contains('\0') {
            return Err(ApiError::field(name, "must not contain a null character"));
        }
        if text.chars().count() > most {
            return Err(too_long(name, most));
        }
        Ok(text)
    }

    async fn event(&mut self) -> Result<Event, ApiError> {
        loop {
            let event = self.parser.next();
            match event.map_err(|problem| ApiError::field("body", problem))? {
                Event::More => match self.body.next().await? {
                    Some(piece) => self.parser.feed(&piece),
                    None => return Err(ApiError::field("body", "did not arrive whole")),
                },
                event => return Ok(event),
            }
        }
    }
}

fn too_long(name: &str, most: usize) -> ApiError {
    ApiError::field(name, &format!("must have at most {most} characters"))
}

/// What an `Idempotency-Key` covers of a form: its fields, and the digests of its files.
pub struct FormDigest(Context);

impl Default for FormDigest {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl FormDigest {
    /// A field.
    pub fn field(&mut self, name: &str, value: &str) {
        self.add(b"field", &[name.as_bytes(), value.as_bytes()]);
    }

    /// A file: the field's name, the file's own, and the digest of what is in it.
    pub fn file(&mut self, name: &str, file_name: &str, digest: &[u8]) {
        self.add(b"file", &[name.as_bytes(), file_name.as_bytes(), digest]);
    }

    /// The digest of all of it.
    pub fn finish(self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        hash
    }

    fn add(&mut self, kind: &[u8], parts: &[&[u8]]) {
        self.0.update(kind);
        for part in parts {
            self.0.update(&part.len().to_be_bytes());
            self.0.update(part);
        }
    }
}
