//! A thumbnail as the media service makes it, as a program: what `tests/load/thumbs` holds beside `vipsthumbnail`.
//!
//! `thumbs photo FILE` writes a JPEG of twelve megapixels; `thumbs FILE OUT` makes its thumbnail of 400 pixels.

use std::error::Error;
use std::{env, fs};

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use parlour_files::picture::{self, Format, Limits, Recipe, Shape};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [word, file] if word == "photo" => fs::write(file, photo()?)?,
        [file, out] => {
            let recipe = Recipe {
                shape: Shape::thumbnail(400),
                format: Some(Format::Jpeg),
            };
            let made = picture::derive(&fs::read(file)?, recipe, Limits::default())?;
            fs::write(out, made.bytes)?;
        }
        _ => return Err("thumbs photo FILE | thumbs FILE OUT".into()),
    }
    Ok(())
}

/// Soft shapes, and the noise of a sensor: about as many bytes as a telephone's picture.
fn photo() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut noise = 0x2545_f491_u32;
    let mut next = move || {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        noise & 15
    };
    let image = RgbImage::from_fn(4000, 3000, |x, y| {
        let shape = |scale: u32| (x * x / scale + y * y / (scale + 400) + x * y / 900) / 8 % 256;
        let mut colour = |scale: u32| {
            let value = shape(scale);
            let value = if value < 128 { value * 2 } else { (255 - value) * 2 };
            u8::try_from((value * 15 / 16 + next()).min(255)).unwrap_or(u8::MAX)
        };
        Rgb([colour(700), colour(900), colour(1300)])
    });
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&image)?;
    Ok(bytes)
}
