//! What is made of a clean file: the picture that others see, thumbnails, facts about sound.

use std::sync::Arc;

use parlour_contracts::id;
use parlour_db::Tx;
use parlour_files::audio;
use parlour_files::kinds::{Group, Kind};
use parlour_files::picture::{self, Derived, Format, Recipe, Refusal, Shape};

use crate::error::Error;
use crate::receiving::Received;
use crate::state::Media;
use crate::store::blobs;
use crate::store::files::File;
use crate::store::pending::Facts;
use crate::store::renditions::{self, Rendition, VIEW};
use crate::whole::{Object, Whole};

/// Thumbnails of every picture: names, and the square that they fit into.
pub const SIZES: [(&str, u32); 3] = [("small", 160), ("medium", 400), ("large", 1024)];

/// A picture that was made, in the store.
pub(super) struct Made {
    name: String,
    received: Received,
    width: i32,
    height: i32,
}

/// What was made of a file.
#[derive(Default)]
pub(super) struct Makings {
    pub(super) facts: Facts,
    pub(super) pictures: Vec<Made>,
}

/// Makes it all. [`Refusal`] where a picture cannot be decoded, or not now.
pub(super) async fn make(
    media: &Arc<Media>,
    kind: Kind,
    object: &Object,
) -> Result<Result<Makings, Refusal>, Error> {
    if kind.group() == Group::Document {
        return Ok(Ok(Makings::default()));
    }
    let bytes = media.read_whole(object.id, &object.key, object.size).await?;
    match kind.group() {
        Group::Image => pictures(media, &bytes).await,
        _ => Ok(sound(media, kind, &bytes).await),
    }
}

async fn sound(media: &Arc<Media>, kind: Kind, bytes: &Arc<Whole>) -> Result<Makings, Refusal> {
    let shared = bytes.clone();
    let known = media
        .tools
        .workshop
        .run(move || Ok(audio::probe(kind, &shared)))
        .await;
    let known = match known {
        Ok(known) => known,
        Err(refusal) if refusal.is_passing() => return Err(refusal),
        // A recording that no decoder here understands is one without facts.
        Err(_) => None,
    };
    let facts = known.map_or_else(Facts::default, |known| Facts {
        duration_ms: i64::try_from(known.duration_ms).ok(),
        codec: Some(known.codec).filter(|codec| !codec.is_empty()),
        channels: Some(i32::from(known.channels)).filter(|channels| *channels > 0),
        waveform: known.waveform,
        ..Facts::default()
    });
    Ok(Makings {
        facts,
        pictures: Vec::new(),
    })
}

async fn pictures(media: &Arc<Media>, bytes: &Arc<Whole>) -> Result<Result<Makings, Refusal>, Error> {
    let limits = media.tools.limits;
    let shared = bytes.clone();
    let clean = media
        .tools
        .workshop
        .run(move || picture::clean(&shared, limits))
        .await;
    let shared = bytes.clone();
    let small = media
        .tools
        .workshop
        .run(move || picture::derive_all(&shared, &recipes(), limits))
        .await;
    let (clean, small) = match (clean, small) {
        (Ok(clean), Ok(small)) => (clean, small),
        (Err(refusal), _) | (_, Err(refusal)) => return Ok(Err(refusal)),
    };
    let side = |side: u32| i32::try_from(side).ok();
    let facts = Facts {
        width: side(clean.width),
        height: side(clean.height),
        ..Facts::default()
    };
    let mut pictures = vec![keep(media, VIEW.to_owned(), clean).await?];
    for ((name, _), made) in SIZES.iter().flat_map(|size| [size, size]).zip(small) {
        let name = format!("{name}.{}", made.kind.extension());
        pictures.push(keep(media, name, made).await?);
    }
    Ok(Ok(Makings { facts, pictures }))
}

fn recipes() -> Vec<Recipe> {
    let both = |(_, size): &(&str, u32)| {
        [Format::WebP, Format::Jpeg].map(|format| Recipe {
            shape: Shape::thumbnail(*size),
            format: Some(format),
        })
    };
    SIZES.iter().flat_map(both).collect()
}

async fn keep(media: &Arc<Media>, name: String, made: Derived) -> Result<Made, Error> {
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    let (width, height) = (side(made.width), side(made.height));
    let received = media.keep(made.kind, &name, &made.bytes).await?;
    Ok(Made {
        name,
        received,
        width,
        height,
    })
}

impl Makings {
    /// Writes the pictures down.
    pub(super) async fn write(&self, media: &Media, tx: &mut Tx, file: &File) -> Result<(), Error> {
        for made in &self.pictures {
            let blob_id = media.blob(tx, &made.received).await?;
            let rendition = Rendition {
                id: id::new(),
                file_id: file.id,
                name: made.name.clone(),
                blob_id,
                mime_type: made.received.kind.mime().to_owned(),
                size: i64::try_from(made.received.size).unwrap_or(i64::MAX),
                width: made.width,
                height: made.height,
            };
            if !renditions::add(tx, &rendition).await? {
                blobs::release(tx, blob_id).await?;
            }
        }
        Ok(())
    }
}
