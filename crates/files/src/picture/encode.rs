//! From pixels to a file that holds nothing else.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage, RgbaImage};

use super::decode::{Picture, Pixels, broken};
use super::header::damaged;
use super::{Format, Refusal};

/// How much may be lost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    /// Of a picture that was made smaller.
    Small,
    /// Of a copy that stands for the original.
    Copy,
    /// Nothing.
    Exact,
}

impl Quality {
    const fn percent(self) -> u8 {
        match self {
            Self::Small => 82,
            Self::Copy | Self::Exact => 90,
        }
    }
}

/// Writes a picture.
pub(super) fn encode(picture: &Picture, format: Format, quality: Quality) -> Result<Vec<u8>, Refusal> {
    match format {
        Format::Jpeg => jpeg(picture, quality),
        Format::Png => png(picture),
        Format::WebP => webp(picture, quality),
    }
}

fn jpeg(picture: &Picture, quality: Quality) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality.percent());
    let written = match &picture.pixels {
        Pixels::Rgb(image) => encoder.encode(image, image.width(), image.height(), ExtendedColorType::Rgb8),
        Pixels::Rgba(image) => {
            let image = on_white(image);
            encoder.encode(&image, image.width(), image.height(), ExtendedColorType::Rgb8)
        }
    };
    written.map_err(|error| broken(&error))?;
    Ok(bytes)
}

fn png(picture: &Picture) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    let written = match &picture.pixels {
        Pixels::Rgb(image) => {
            encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8)
        }
        Pixels::Rgba(image) => {
            encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgba8)
        }
    };
    written.map_err(|error| broken(&error))?;
    Ok(bytes)
}

fn webp(picture: &Picture, quality: Quality) -> Result<Vec<u8>, Refusal> {
    let (width, height) = picture.size();
    let encoder = match &picture.pixels {
        Pixels::Rgb(image) => webp::Encoder::from_rgb(image, width, height),
        Pixels::Rgba(image) => webp::Encoder::from_rgba(image, width, height),
    };
    let written = encoder.encode_simple(quality == Quality::Exact, f32::from(quality.percent()));
    written
        .map(|memory| memory.to_vec())
        .map_err(|_| damaged("it cannot be written as WebP"))
}

/// What is behind a transparent picture on most pages.
fn on_white(image: &RgbaImage) -> RgbImage {
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0;
        to.0 = [red, green, blue].map(|colour| {
            let mixed = (u16::from(colour) * u16::from(alpha) + 255 * (255 - u16::from(alpha)) + 127) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        });
    }
    flat
}
