//! The form of an upload, read while it arrives: its files go to the store.

use std::sync::Arc;

use parlour_files::kinds::Group;
use parlour_http::{ApiError, FormDigest, Multipart};
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use crate::domain::names;
use crate::error::Error;
use crate::receiving::{Received, Receiver};
use crate::state::Media;

/// The most characters of a description.
const MOST_DESCRIPTION: usize = 2000;
/// The most characters of other fields.
const MOST_FIELD: usize = 200;
/// The longest recording that a sender may claim, in seconds.
const MOST_DURATION: f64 = 86_400.0;

/// A form that has arrived.
#[derive(Default)]
pub struct Form {
    /// What became of each file, in their order, with the name that it came under.
    pub files: Vec<(String, Result<Arc<Received>, Error>)>,
    /// `description`
    pub description: Option<String>,
    /// `folder`
    pub folder: String,
    /// `session_id`
    pub session_id: Option<Uuid>,
    /// `kind`
    pub kind: Option<String>,
    /// `duration`, in milliseconds
    pub duration_ms: Option<i64>,
    digest: FormDigest,
}

/// Which files a form may have.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The names of the fields with files; the first is what an absent one is called.
    pub names: &'static [&'static str],
    /// How many there may be.
    pub most: usize,
    /// Whether a file that is refused leaves the others alone.
    pub each: bool,
}

/// Holds one of the places for uploads while a form is read.
struct Place(#[expect(dead_code, reason = "holding it is what it is for")] OwnedSemaphorePermit);

impl Form {
    /// Reads a form to its end. Without `wanted.each` the first file that is refused ends it.
    pub async fn read(media: &Media, mut form: Multipart, wanted: Wanted) -> Result<Self, ApiError> {
        let permit = media.slots.clone().try_acquire_owned();
        let _place = Place(permit.map_err(|_| ApiError::unavailable())?);
        let mut read = Self::default();
        while let Some(part) = form.next_part().await? {
            if !wanted.names.contains(&part.name.as_str()) {
                read.field(&mut form, &part.name).await?;
                continue;
            }
            let name = part.file_name.unwrap_or_default();
            if read.files.len() == wanted.most {
                let problem = format!("must have at most {} files", wanted.most);
                return Err(ApiError::field(&part.name, &problem));
            }
            let received = receive(media, &mut form, &name, part.content_type).await?;
            match received {
                Ok(received) => {
                    read.digest.file(&part.name, &name, &received.digest);
                    read.files.push((name, Ok(Arc::new(received))));
                }
                Err(error) if wanted.each && is_refusal(&error) => {
                    read.digest.file(&part.name, &name, error.to_string().as_bytes());
                    read.files.push((name, Err(error)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if read.files.is_empty() {
            let name = wanted.names.first().copied().unwrap_or("file");
            return Err(ApiError::field(name, "is required"));
        }
        Ok(read)
    }

    /// The only file of a form that may have one.
    pub fn one(&mut self) -> Result<Arc<Received>, ApiError> {
        match self.files.pop() {
            Some((_, received)) => Ok(received?),
            None => Err(ApiError::field("file", "is required")),
        }
    }

    /// What an idempotency key covers.
    pub fn digest(&mut self) -> [u8; 32] {
        std::mem::take(&mut self.digest).finish()
    }

    async fn field(&mut self, form: &mut Multipart, name: &str) -> Result<(), ApiError> {
        let most = match name {
            "description" => MOST_DESCRIPTION,
            "folder" | "session_id" | "kind" | "duration" => MOST_FIELD,
            // Unknown fields are ignored.
            _ => return Ok(()),
        };
        let text = form.text(name, most).await?;
        self.digest.field(name, &text);
        match name {
            "description" => self.description = Some(text),
            "folder" => {
                let folder = names::folder(&text);
                self.folder = folder.ok_or_else(|| ApiError::field(name, "is not a folder"))?;
            }
            "session_id" => {
                let id = Uuid::try_parse(&text).map_err(|_| ApiError::field(name, "must be a UUID"))?;
                self.session_id = Some(id);
            }
            "kind" => self.kind = Some(text),
            _ => self.duration_ms = Some(milliseconds(&text)?),
        }
        Ok(())
    }
}

/// Whether the file itself is what is wrong.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::TooLarge(_) | Error::Type(_) | Error::Infected | Error::Quota(_)
    )
}

/// The inner error is the file's, the outer one the form's.
async fn receive(
    media: &Media,
    form: &mut Multipart,
    name: &str,
    declared: Option<String>,
) -> Result<Result<Received, Error>, ApiError> {
    let mut receiver = match Receiver::new(media, name, declared) {
        Ok(receiver) => receiver,
        Err(error) => return Ok(Err(error)),
    };
    while let Some(piece) = form.chunk().await? {
        if let Err(error) = receiver.push(&piece).await {
            return Ok(Err(error));
        }
    }
    match receiver.finish().await {
        Ok(whole) => Ok(media.screened(whole).await),
        Err(error) => Ok(Err(error)),
    }
}

fn milliseconds(text: &str) -> Result<i64, ApiError> {
    let seconds: Option<f64> = text.trim().parse().ok();
    let seconds = seconds.filter(|seconds| (0.0..=MOST_DURATION).contains(seconds));
    let seconds = seconds.ok_or_else(|| ApiError::field("duration", "must be seconds, from 0 to 86400"))?;
    #[expect(clippy::cast_possible_truncation, reason = "a day has few milliseconds")]
    let milliseconds = (seconds * 1000.0).round() as i64;
    Ok(milliseconds)
}

/// The file, if it is of this group.
pub fn of_group(received: Arc<Received>, group: Group) -> Result<Arc<Received>, Error> {
    if received.kind.group() == group {
        return Ok(received);
    }
    Err(Error::Type(format!("the content is {}", received.kind.mime())))
}
