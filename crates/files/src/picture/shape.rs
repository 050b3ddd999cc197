//! Which part of a picture, how large.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8x3, U8x4};
use fast_image_resize::{PixelTrait, ResizeOptions, Resizer};
use image::{RgbImage, RgbaImage};

use super::decode::{Picture, Pixels};
use super::header::Header;
use super::{MAX_SIDE, Refusal};

/// How a picture is brought to a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fit {
    /// All of it inside the size, never larger than it was.
    Inside,
    /// The middle of it, so that the size is filled.
    Cover,
    /// All of it, stretched to the size.
    Exact,
}

/// What is made of a picture. Sizes and places are those of the upright picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The whole in another size.
    Resize {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// How.
        fit: Fit,
    },
    /// A part in its own size.
    Crop {
        /// From the left.
        x: u32,
        /// From the top.
        y: u32,
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
}

impl Shape {
    /// All of a picture within a square.
    pub const fn thumbnail(size: u32) -> Self {
        Self::Resize {
            width: size,
            height: size,
            fit: Fit::Inside,
        }
    }

    /// How much of the picture's size is needed for it, whichever way up it turns out to be.
    pub(super) fn scale(self, header: &Header) -> f64 {
        let Self::Resize { width, height, fit } = self else {
            return 1.0;
        };
        let side = match fit {
            Fit::Inside => header.width.max(header.height),
            Fit::Cover | Fit::Exact => header.width.min(header.height),
        };
        f64::from(width.max(height)) / f64::from(side)
    }
}

/// Makes the part or size of it.
pub(super) fn apply(picture: &Picture, shape: Shape) -> Result<Picture, Refusal> {
    let (width, height) = picture.full;
    let impossible = Refusal::NotPossible { width, height };
    match shape {
        Shape::Crop {
            x,
            y,
            width: w,
            height: h,
        } => {
            let fits = |start: u32, length: u32, whole: u32| {
                length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
            };
            if !fits(x, w, width) || !fits(y, h, height) || w.max(h) > MAX_SIDE {
                return Err(impossible);
            }
            Ok(crop(picture, [x, y, w, h]))
        }
        Shape::Resize {
            width: w,
            height: h,
            fit,
        } => {
            if !(1..=MAX_SIDE).contains(&w) || !(1..=MAX_SIDE).contains(&h) {
                return Err(impossible);
            }
            let size = match fit {
                Fit::Inside => inside(picture.full, (w, h)),
                Fit::Cover | Fit::Exact => (w, h),
            };
            let options = ResizeOptions::new();
            let options = if fit == Fit::Cover {
                options.fit_into_destination(None)
            } else {
                options
            };
            resize(picture, size, &options)
        }
    }
}

/// The largest size of that form within the frame, not larger than it is and not less than a pixel.
#[expect(
    clippy::cast_possible_truncation,
    reason = "not larger than the frame, whose sides fit"
)]
fn inside((width, height): (u32, u32), (most_wide, most_high): (u32, u32)) -> (u32, u32) {
    if width <= most_wide && height <= most_high {
        return (width, height);
    }
    let [width, height, wide, high] = [width, height, most_wide, most_high].map(u64::from);
    let divide = |product: u64, by: u64| ((product + by / 2) / by.max(1)).max(1);
    // The side that is cut more decides.
    if width * high >= height * wide {
        (most_wide, (divide(height * wide, width) as u32).min(most_high))
    } else {
        ((divide(width * high, height) as u32).min(most_wide), most_high)
    }
}

fn resize(picture: &Picture, size: (u32, u32), options: &ResizeOptions) -> Result<Picture, Refusal> {
    if picture.size() == size {
        return Ok(crop(picture, [0, 0, size.0, size.1]));
    }
    let impossible = || Refusal::NotPossible {
        width: picture.full.0,
        height: picture.full.1,
    };
    let pixels = match &picture.pixels {
        Pixels::Rgb(image) => {
            let mut made = RgbImage::new(size.0, size.1);
            convolve::<U8x3>((image, picture.size()), (&mut made, size), options).ok_or_else(impossible)?;
            Pixels::Rgb(made)
        }
        Pixels::Rgba(image) => {
            let mut made = RgbaImage::new(size.0, size.1);
            convolve::<U8x4>((image, picture.size()), (&mut made, size), options).ok_or_else(impossible)?;
            Pixels::Rgba(made)
        }
    };
    Ok(Picture { pixels, full: size })
}

/// For a layout that is known here: `Resizer::resize`, which finds it out, has the code for all
/// thirteen compiled, which takes longer than the rest of this crate.
fn convolve<P: PixelTrait>(
    (pixels, (width, height)): (&[u8], (u32, u32)),
    (made, size): (&mut [u8], (u32, u32)),
    options: &ResizeOptions,
) -> Option<()> {
    let source = TypedImageRef::<P>::from_buffer(width, height, pixels).ok()?;
    let mut target = TypedImage::<P>::from_buffer(size.0, size.1, made).ok()?;
    Resizer::new().resize_typed(&source, &mut target, options).ok()
}

fn crop(picture: &Picture, [x, y, width, height]: [u32; 4]) -> Picture {
    let pixels = match &picture.pixels {
        Pixels::Rgb(image) => Pixels::Rgb(image::imageops::crop_imm(image, x, y, width, height).to_image()),
        Pixels::Rgba(image) => Pixels::Rgba(image::imageops::crop_imm(image, x, y, width, height).to_image()),
    };
    Picture {
        pixels,
        full: (width, height),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inside_keeps_the_form_and_does_not_enlarge() {
        assert_eq!(inside((4000, 3000), (400, 400)), (400, 300));
        assert_eq!(inside((3000, 4000), (400, 400)), (300, 400));
        assert_eq!(inside((100, 50), (400, 400)), (100, 50));
        assert_eq!(inside((10_000, 1), (100, 100)), (100, 1));
    }

    proptest! {
        #[test]
        fn inside_is_inside(w in 1..60_000_u32, h in 1..60_000_u32, a in 1..9_000_u32, b in 1..9_000_u32) {
            let (x, y) = inside((w, h), (a, b));
            prop_assert!(x >= 1 && y >= 1 && x <= a.min(w) && y <= b.min(h));
            prop_assert!((x, y) == (w, h) || x == a || y == b);
        }
    }
}
