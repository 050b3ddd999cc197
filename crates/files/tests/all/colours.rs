//! Pictures whose colours are not sRGB.

use std::io::Cursor;

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};
use moxcms::ColorProfile;
use parlour_files::picture::{self, Derived, Fit, Limits};
use proptest::prelude::*;

use crate::pictures::{decoded, resize};

/// In Display P3, and the same colour in sRGB by the matrices of CSS Color 4.
const WIDE: [u8; 3] = [180, 120, 80];
const SAME: [u8; 3] = [190, 117, 72];

fn encoded(mut encoder: impl ImageEncoder, profile: Option<Vec<u8>>) {
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).unwrap();
    }
    let pixels = WIDE.repeat(64 * 64);
    encoder
        .write_image(&pixels, 64, 64, ExtendedColorType::Rgb8)
        .unwrap();
}

/// One colour everywhere, as JPEG, PNG and WebP.
fn pictures(profile: Option<&[u8]>) -> [Vec<u8>; 3] {
    let profile = || profile.map(<[u8]>::to_vec);
    let mut all = [const { Cursor::new(Vec::new()) }; 3];
    encoded(JpegEncoder::new_with_quality(&mut all[0], 100), profile());
    encoded(PngEncoder::new(&mut all[1]), profile());
    encoded(WebPEncoder::new_lossless(&mut all[2]), profile());
    all.map(Cursor::into_inner)
}

fn shows(derived: &Derived, expected: [u8; 3]) {
    let image = decoded(derived).to_rgb8();
    let pixel = image.get_pixel(image.width() / 2, image.height() / 2).0;
    let near = pixel
        .iter()
        .zip(expected)
        .all(|(is, should)| is.abs_diff(should) <= 4);
    assert!(near, "{:?}: {pixel:?}, not {expected:?}", derived.kind);
}

#[test]
fn what_others_see_is_srgb() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    for (profile, expected) in [(None, WIDE), (Some(profile.as_slice()), SAME)] {
        for source in pictures(profile) {
            shows(&picture::clean(&source, Limits::default()).unwrap(), expected);
            // Below a quarter a JPEG takes another way through its decoder.
            for side in [8, 48] {
                let recipe = resize(side, side, Fit::Inside);
                shows(
                    &picture::derive(&source, recipe, Limits::default()).unwrap(),
                    expected,
                );
            }
        }
    }
}

#[test]
fn a_profile_that_says_nothing_leaves_the_picture_as_it_is() {
    let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    for profile in [grey.as_slice(), b"", b"not a profile", &[0; 200]] {
        for source in pictures(Some(profile)) {
            shows(&picture::clean(&source, Limits::default()).unwrap(), WIDE);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn mutated_profiles_are_answered(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..16),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut profile = ColorProfile::new_display_p3().encode().unwrap();
        for (at, value) in changes {
            let at = at.index(profile.len());
            profile[at] = value;
        }
        if cuts {
            profile.truncate(cut.index(profile.len()));
        }
        for source in pictures(Some(&profile)) {
            prop_assert!(picture::clean(&source, Limits::default()).is_ok());
        }
    }
}
