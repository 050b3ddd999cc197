//! Pictures: checked before they are decoded, and made smaller and cleaner.
//!
//! What comes out is always encoded anew from pixels, upright, in sRGB, and carries nothing else of its
//! source: no EXIF, no place, no comments, nothing that was hidden behind the picture's end.
//!
//! These functions work on the thread that calls them and cannot be interrupted; [`Workshop`] runs
//! them in a fixed number of slots.

mod animation;
mod colour;
mod decode;
mod encode;
mod header;
mod jpeg;
mod shape;
mod workshop;

pub use shape::{Fit, Shape};
pub use workshop::Workshop;

use crate::kinds::Kind;
use decode::Picture;

/// What a picture may be, checked in its header before anything of it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width × height × frames.
    pub pixels: u64,
    /// Frames of an animation.
    pub frames: u32,
}

impl Default for Limits {
    /// A hundred megapixels, two thousand frames.
    fn default() -> Self {
        Self {
            pixels: 100_000_000,
            frames: 2_000,
        }
    }
}

/// The longest side of a derived picture.
pub const MAX_SIDE: u32 = 8_192;

/// Why nothing is made of a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no picture of a type that is taken.
    #[error("not a picture of a type that is taken")]
    NotAPicture,
    /// It begins as a picture but cannot be decoded.
    #[error("the picture is damaged: {0}")]
    Damaged(String),
    /// Width × height × frames is above the limit.
    #[error("the picture has too many pixels: {width} × {height} in {frames} frames")]
    TooManyPixels {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
        /// Frames, as far as they were counted.
        frames: u32,
    },
    /// More frames than the limit.
    #[error("the picture has too many frames")]
    TooManyFrames,
    /// What was asked for lies outside the picture, is empty, or is too large.
    #[error("the part or size asked for is not possible: the picture is {width} × {height}")]
    NotPossible {
        /// Its width, upright.
        width: u32,
        /// Its height, upright.
        height: u32,
    },
    /// Every slot and every place in the queue is taken.
    #[error("too many pictures are being worked on")]
    Busy,
    /// It took longer than the workshop waits.
    #[error("the picture took too long")]
    Overdue,
}

impl Refusal {
    /// Whether the same picture may succeed later.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Overdue)
    }
}

/// What a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its type.
    pub kind: Kind,
    /// Its width, upright.
    pub width: u32,
    /// Its height, upright.
    pub height: u32,
    /// Its frames: 1 when nothing moves.
    pub frames: u32,
}

/// What a derived picture is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG; what was transparent is white.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    WebP,
}

impl Format {
    /// Its type.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Jpeg => Kind::Jpeg,
            Self::Png => Kind::Png,
            Self::WebP => Kind::WebP,
        }
    }

    /// What a picture of that type is written as when nothing else was asked for.
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Jpeg => Self::Jpeg,
            Kind::WebP => Self::WebP,
            _ => Self::Png,
        }
    }
}

/// What is to be made of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// Which part of it, how large.
    pub shape: Shape,
    /// As what; `None`: as what it was, a GIF's picture as PNG.
    pub format: Option<Format>,
}

/// A picture that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its type.
    pub kind: Kind,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// Checks a picture: its header against the limits, then whether all of it decodes.
pub fn inspect(bytes: &[u8], limits: Limits) -> Result<Facts, Refusal> {
    let header = header::read(bytes, limits)?;
    if header.frames > 1 {
        animation::check(bytes, &header)?;
        return Ok(Facts {
            kind: header.kind,
            width: header.width,
            height: header.height,
            frames: header.frames,
        });
    }
    let picture = decode::decode(bytes, &header, 1.0)?;
    let (width, height) = picture.size();
    Ok(Facts {
        kind: header.kind,
        width,
        height,
        frames: 1,
    })
}

/// Makes one picture of another: the same bytes and the same recipe give the same file.
pub fn derive(bytes: &[u8], recipe: Recipe, limits: Limits) -> Result<Derived, Refusal> {
    let mut all = derive_all(bytes, &[recipe], limits)?;
    all.pop().ok_or(Refusal::NotAPicture)
}

/// As [`derive()`] for several recipes, decoding once.
pub fn derive_all(bytes: &[u8], recipes: &[Recipe], limits: Limits) -> Result<Vec<Derived>, Refusal> {
    let header = header::read(bytes, limits)?;
    let scale = recipes
        .iter()
        .map(|recipe| recipe.shape.scale(&header))
        .fold(0.0, f64::max);
    let picture = decode::decode(bytes, &header, scale)?;
    recipes
        .iter()
        .map(|recipe| make(&picture, &header, *recipe))
        .collect()
}

/// The picture as others may see it: the same picture in the same type, upright, without anything
/// that is not picture. Animations stay animations.
pub fn clean(bytes: &[u8], limits: Limits) -> Result<Derived, Refusal> {
    let header = header::read(bytes, limits)?;
    if header.frames > 1 || header.kind == Kind::Gif {
        return animation::copy(bytes, &header);
    }
    let picture = decode::decode(bytes, &header, 1.0)?;
    let format = Format::of(header.kind);
    let quality = if header.lossless {
        encode::Quality::Exact
    } else {
        encode::Quality::Copy
    };
    finish(&picture, format, quality)
}

fn make(picture: &Picture, header: &header::Header, recipe: Recipe) -> Result<Derived, Refusal> {
    let made = shape::apply(picture, recipe.shape)?;
    finish(
        &made,
        recipe.format.unwrap_or(Format::of(header.kind)),
        encode::Quality::Small,
    )
}

fn finish(picture: &Picture, format: Format, quality: encode::Quality) -> Result<Derived, Refusal> {
    let (width, height) = picture.size();
    let bytes = encode::encode(picture, format, quality)?;
    Ok(Derived {
        bytes,
        kind: format.kind(),
        width,
        height,
    })
}
