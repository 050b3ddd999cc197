//! From a file to upright pixels.

use std::io::Cursor;

use image::codecs::{gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, Limits as Allowance, RgbImage};

use super::Refusal;
use super::colour::Profile;
use super::header::{Header, damaged};
use crate::kinds::Kind;

/// Upright pixels in sRGB, three or four bytes each, and how large the whole was before it was scaled.
pub(super) struct Picture {
    pub(super) pixels: Pixels,
    /// The whole picture's size, upright.
    pub(super) full: (u32, u32),
}

/// With or without transparency.
pub(super) enum Pixels {
    Rgb(RgbImage),
    Rgba(image::RgbaImage),
}

impl Picture {
    fn of(image: DynamicImage, profile: Option<&Profile>, full: (u32, u32)) -> Self {
        // A profile of red, green and blue has nothing to say of greys.
        let profile = profile.filter(|_| image.color().has_color());
        let pixels = if image.color().has_alpha() {
            let mut image = image.into_rgba8();
            profile.inspect(|profile| profile.rgba(&mut image));
            Pixels::Rgba(image)
        } else {
            let mut image = image.into_rgb8();
            profile.inspect(|profile| profile.rgb(&mut image));
            Pixels::Rgb(image)
        };
        Self { pixels, full }
    }

    pub(super) fn size(&self) -> (u32, u32) {
        match &self.pixels {
            Pixels::Rgb(image) => image.dimensions(),
            Pixels::Rgba(image) => image.dimensions(),
        }
    }
}

/// Decodes a picture, its first frame if it moves. `scale` is how much of its size is needed: a
/// JPEG is then decoded at an eighth, a quarter or half of it, never at less than twice what is needed.
pub(super) fn decode(bytes: &[u8], header: &Header, scale: f64) -> Result<Picture, Refusal> {
    if header.kind == Kind::Jpeg
        && scale <= 0.25
        && let Some(Scaled(image, orientation, profile)) = scaled(bytes, header, scale)?
    {
        return Ok(upright(
            image,
            orientation,
            profile.as_ref(),
            (header.width, header.height),
        ));
    }
    let source = Cursor::new(bytes);
    match header.kind {
        Kind::Jpeg => whole(JpegDecoder::new(source), header),
        Kind::Png => whole(PngDecoder::new(source), header),
        Kind::Gif => whole(GifDecoder::new(source), header),
        Kind::WebP => whole(WebPDecoder::new(source), header),
        _ => Err(Refusal::NotAPicture),
    }
}

fn whole<D: ImageDecoder>(decoder: image::ImageResult<D>, header: &Header) -> Result<Picture, Refusal> {
    let mut decoder = decoder.map_err(|error| broken(&error))?;
    decoder
        .set_limits(allowance(header))
        .map_err(|error| broken(&error))?;
    let size = decoder.dimensions();
    if size != (header.width, header.height) {
        return Err(damaged("its header says two things"));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = Profile::read(decoder.icc_profile().unwrap_or_default());
    let image = DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?;
    Ok(upright(image, orientation, profile.as_ref(), size))
}

/// Eight bytes a pixel, what a decoder holds of its own beside them, and its buffers.
pub(super) fn allowance(header: &Header) -> Allowance {
    let mut allowance = Allowance::default();
    allowance.max_image_width = Some(header.width);
    allowance.max_image_height = Some(header.height);
    allowance.max_alloc = Some(
        u64::from(header.width)
            .saturating_mul(u64::from(header.height))
            .saturating_mul(16)
            + (64 << 20),
    );
    allowance
}

fn upright(
    mut image: DynamicImage,
    orientation: Orientation,
    profile: Option<&Profile>,
    (width, height): (u32, u32),
) -> Picture {
    image.apply_orientation(orientation);
    let full = if turns(orientation) {
        (height, width)
    } else {
        (width, height)
    };
    Picture::of(image, profile, full)
}

const fn turns(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// A picture at a fraction of its size.
struct Scaled(DynamicImage, Orientation, Option<Profile>);

/// A JPEG's picture at a fraction of its size; `None` for colours that only the whole decoder knows.
fn scaled(bytes: &[u8], header: &Header, scale: f64) -> Result<Option<Scaled>, Refusal> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(
        usize::try_from(header.width)
            .unwrap_or(0)
            .saturating_mul(usize::try_from(header.height).unwrap_or(0).saturating_mul(4)),
    );
    let failed = |error: jpeg_decoder::Error| match error {
        jpeg_decoder::Error::Unsupported(_) => Ok(None),
        error => Err(damaged(&error.to_string())),
    };
    let (width, height) = match decoder.scale(twice(header.width, scale), twice(header.height, scale)) {
        Ok(size) => size,
        Err(error) => return failed(error),
    };
    let pixels = match decoder.decode() {
        Ok(pixels) => pixels,
        Err(error) => return failed(error),
    };
    let orientation = decoder
        .exif_data()
        .and_then(|exif| Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif)))
        .unwrap_or(Orientation::NoTransforms);
    let profile = Profile::read(decoder.icc_profile());
    let (width, height) = (u32::from(width), u32::from(height));
    let image = match decoder.info().map(|info| info.pixel_format) {
        Some(jpeg_decoder::PixelFormat::RGB24) => {
            RgbImage::from_raw(width, height, pixels).map(DynamicImage::from)
        }
        Some(jpeg_decoder::PixelFormat::L8) => {
            image::GrayImage::from_raw(width, height, pixels).map(DynamicImage::from)
        }
        _ => None,
    };
    Ok(image.map(|image| Scaled(image, orientation, profile)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn twice(side: u32, scale: f64) -> u16 {
    (f64::from(side) * scale * 2.0)
        .ceil()
        .clamp(1.0, f64::from(u16::MAX)) as u16
}

pub(super) fn broken(error: &image::ImageError) -> Refusal {
    Refusal::Damaged(error.to_string())
}
