//! From a picture's own colours to sRGB, which is what pictures without a profile are taken for.

use image::{RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Profiles of cameras and screens have some kilobytes, those of printers up to two megabytes.
const MOST_BYTES: usize = 4 << 20;

/// What a picture's profile says of its colours.
pub(super) struct Profile(ColorProfile);

impl Profile {
    /// The profile of a picture in red, green and blue. `None` for other colours, which decoders have turned
    /// into these without a profile, and for what cannot be read: the picture is taken as it is then.
    pub(super) fn read(bytes: Option<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.filter(|bytes| bytes.len() <= MOST_BYTES)?;
        let profile = ColorProfile::new_from_slice(&bytes).ok()?;
        (profile.color_space == DataColorSpace::Rgb).then_some(Self(profile))
    }

    /// Turns a picture into sRGB, where that can be done.
    pub(super) fn rgb(&self, image: &mut RgbImage) {
        let width = image.width();
        self.turn(image, Layout::Rgb, width);
    }

    /// As [`Self::rgb`]. Transparency stays as it is.
    pub(super) fn rgba(&self, image: &mut RgbaImage) {
        let width = image.width();
        self.turn(image, Layout::Rgba, width);
    }

    fn turn(&self, samples: &mut [u8], layout: Layout, width: u32) {
        let srgb = ColorProfile::new_srgb();
        let options = TransformOptions::default();
        let Ok(transform) = self.0.create_transform_8bit(layout, &srgb, layout, options) else {
            return;
        };
        let row = usize::try_from(width)
            .unwrap_or(0)
            .saturating_mul(layout.channels());
        let mut before = vec![0; row];
        for samples in samples.chunks_exact_mut(row.max(1)) {
            before.copy_from_slice(samples);
            if transform.transform(&before, samples).is_err() {
                samples.copy_from_slice(&before);
            }
        }
    }
}
