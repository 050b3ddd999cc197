//! Pictures that are refused, or that are something else as well.

use image::ImageFormat;
use parlour_files::picture::{self, Fit, Limits, Refusal};
use proptest::prelude::*;

use crate::pictures::{decoded, resize, seen_corners};
use crate::support::{animation, eicar, photo, picture as file};

#[test]
fn bombs_are_refused_before_they_are_decoded() {
    let mut bomb = file(ImageFormat::Png, 4, 4);
    bomb[16..20].copy_from_slice(&50_000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&50_000_u32.to_be_bytes());
    assert!(matches!(
        picture::inspect(&bomb, Limits::default()),
        Err(Refusal::TooManyPixels { .. })
    ));
    assert!(matches!(
        picture::clean(&bomb, Limits::default()),
        Err(Refusal::TooManyPixels { .. })
    ));

    let one = b"\x21\xf9\x04\0\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
    let frames = [b"GIF89a\x01\0\x01\0\0\0\0".as_slice(), &one.repeat(100_000), b";"].concat();
    assert_eq!(
        picture::inspect(&frames, Limits::default()),
        Err(Refusal::TooManyFrames)
    );
}

#[test]
fn damaged_pictures_are_refused() {
    let jpeg = file(ImageFormat::Jpeg, 64, 64);
    for kept in [20, jpeg.len() / 2, jpeg.len() - 2] {
        assert!(
            matches!(
                picture::inspect(&jpeg[..kept], Limits::default()),
                Err(Refusal::Damaged(_))
            ),
            "{kept} bytes"
        );
    }
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let whole = file(format, 64, 64);
        let cut = &whole[..whole.len() * 2 / 3];
        assert!(
            matches!(picture::inspect(cut, Limits::default()), Err(Refusal::Damaged(_))),
            "{format:?}"
        );
    }
    assert_eq!(
        picture::inspect(b"PK\x03\x04 a ZIP", Limits::default()),
        Err(Refusal::NotAPicture)
    );
    assert_eq!(
        picture::inspect(&eicar(), Limits::default()),
        Err(Refusal::NotAPicture)
    );
}

#[test]
fn a_jpeg_that_is_html_too_is_only_a_jpeg_afterwards() {
    let mut both = file(ImageFormat::Jpeg, 32, 32);
    let html = b"<html><script>alert(document.cookie)</script></html>";
    let length = u16::try_from(html.len() + 2).unwrap().to_be_bytes();
    both.splice(2..2, [&[0xff, 0xfe], length.as_slice(), html].concat());
    both.extend(html);
    let clean = picture::clean(&both, Limits::default()).unwrap();
    assert!(!clean.bytes.windows(7).any(|part| part == b"<script"));
    assert_eq!(seen_corners(&decoded(&clean)), [0, 1, 2, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn mutated_pictures_are_answered(
        which in 0..5_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut bytes = match which {
            0 => photo(6),
            1 => file(ImageFormat::Png, 24, 16),
            2 => file(ImageFormat::WebP, 24, 16),
            3 => animation(4),
            _ => file(ImageFormat::Jpeg, 24, 16),
        };
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        let limits = Limits { pixels: 1_000_000, frames: 50 };
        let _ = picture::inspect(&bytes, limits);
        let _ = picture::clean(&bytes, limits);
        if let Ok(small) = picture::derive(&bytes, resize(8, 8, Fit::Inside), limits) {
            prop_assert!(small.width <= 8 && small.height <= 8);
            prop_assert!(picture::inspect(&small.bytes, limits).is_ok());
        }
    }
}
