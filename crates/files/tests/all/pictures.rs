use image::{DynamicImage, ImageFormat};
use parlour_files::kinds::{Kind, sniff};
use parlour_files::picture::{self, Derived, Fit, Format, Limits, Recipe, Refusal, Shape};
use proptest::prelude::*;

use crate::support::{animation, corners, eicar, photo, picture as file};

fn decoded(derived: &Derived) -> DynamicImage {
    assert_eq!(sniff(&derived.bytes), Some(derived.kind));
    let image = image::load_from_memory(&derived.bytes).unwrap();
    assert_eq!((image.width(), image.height()), (derived.width, derived.height));
    image
}

/// Which of the three colours is strongest there; 3 for white.
fn colour(image: &DynamicImage, x: u32, y: u32) -> usize {
    let pixel = image.to_rgb8().get_pixel(x, y).0;
    if pixel.iter().all(|part| *part > 180) {
        return 3;
    }
    (0..3).max_by_key(|part| pixel[*part]).unwrap()
}

fn seen_corners(image: &DynamicImage) -> [usize; 4] {
    let (right, bottom) = (image.width() - 2, image.height() - 2);
    [
        colour(image, 1, 1),
        colour(image, right, 1),
        colour(image, 1, bottom),
        colour(image, right, bottom),
    ]
}

fn resize(width: u32, height: u32, fit: Fit) -> Recipe {
    Recipe {
        shape: Shape::Resize { width, height, fit },
        format: None,
    }
}

#[test]
fn a_photo_comes_out_upright_and_without_its_place() {
    let upright = [
        [0, 1, 2, 3],
        [1, 0, 3, 2],
        [3, 2, 1, 0],
        [2, 3, 0, 1],
        [0, 2, 1, 3],
        [2, 0, 3, 1],
        [3, 1, 2, 0],
        [1, 3, 0, 2],
    ];
    for (orientation, expected) in (1..).zip(upright) {
        let photo = photo(orientation);
        assert!(photo.windows(4).any(|part| part == b"48.2"));
        let clean = picture::clean(&photo, Limits::default()).unwrap();
        assert!(
            !clean
                .bytes
                .windows(4)
                .any(|part| part == b"48.2" || part == b"Exif")
        );
        let image = decoded(&clean);
        assert_eq!(seen_corners(&image), expected, "orientation {orientation}");
        assert_eq!(
            (image.width(), image.height()),
            if orientation < 5 { (64, 32) } else { (32, 64) }
        );
        // The way that small ones take through the decoder.
        let small = picture::derive(&photo, resize(8, 8, Fit::Inside), Limits::default()).unwrap();
        assert_eq!(
            seen_corners(&decoded(&small)),
            expected,
            "orientation {orientation}, small"
        );
        let facts = picture::inspect(&photo, Limits::default()).unwrap();
        assert_eq!((facts.width, facts.height), (image.width(), image.height()));
    }
}

#[test]
fn every_type_can_be_inspected_cleaned_and_made_smaller() {
    let png = file(ImageFormat::Png, 40, 20);
    for (kind, source) in [
        (Kind::Jpeg, file(ImageFormat::Jpeg, 40, 20)),
        (Kind::Png, png.clone()),
        (Kind::WebP, file(ImageFormat::WebP, 40, 20)),
        (Kind::Gif, file(ImageFormat::Gif, 40, 20)),
    ] {
        let facts = picture::inspect(&source, Limits::default()).unwrap();
        assert_eq!(
            (facts.kind, facts.width, facts.height, facts.frames),
            (kind, 40, 20, 1)
        );
        let clean = picture::clean(&source, Limits::default()).unwrap();
        assert_eq!(clean.kind, kind);
        assert_eq!(seen_corners(&decoded(&clean)), [0, 1, 2, 3], "{kind:?}");
        for format in [Format::Jpeg, Format::Png, Format::WebP] {
            let recipe = Recipe {
                format: Some(format),
                ..resize(10, 10, Fit::Inside)
            };
            let small = picture::derive(&source, recipe, Limits::default()).unwrap();
            assert_eq!((small.kind, small.width, small.height), (format.kind(), 10, 5));
            assert_eq!(
                seen_corners(&decoded(&small)),
                [0, 1, 2, 3],
                "{kind:?} as {format:?}"
            );
            assert_eq!(
                picture::derive(&source, recipe, Limits::default()).unwrap(),
                small,
                "twice the same"
            );
        }
    }
    let exact = picture::clean(&png, Limits::default()).unwrap();
    assert_eq!(decoded(&exact).to_rgb8(), corners(40, 20), "PNG loses nothing");
}

#[test]
fn sizes_and_parts_are_what_was_asked_for() {
    let source = file(ImageFormat::Png, 40, 20);
    let make = |shape| picture::derive(&source, Recipe { shape, format: None }, Limits::default());
    let cover = decoded(
        &make(Shape::Resize {
            width: 10,
            height: 10,
            fit: Fit::Cover,
        })
        .unwrap(),
    );
    assert_eq!(
        (cover.width(), cover.height(), seen_corners(&cover)),
        (10, 10, [0, 1, 2, 3])
    );
    let exact = decoded(
        &make(Shape::Resize {
            width: 80,
            height: 100,
            fit: Fit::Exact,
        })
        .unwrap(),
    );
    assert_eq!((exact.width(), exact.height()), (80, 100));
    let part = decoded(
        &make(Shape::Crop {
            x: 20,
            y: 10,
            width: 20,
            height: 10,
        })
        .unwrap(),
    );
    assert_eq!(
        (part.width(), part.height(), seen_corners(&part)),
        (20, 10, [3; 4])
    );
    for shape in [
        Shape::Crop {
            x: 20,
            y: 10,
            width: 21,
            height: 10,
        },
        Shape::Crop {
            x: u32::MAX,
            y: 0,
            width: 2,
            height: 2,
        },
        Shape::Crop {
            x: 0,
            y: 0,
            width: 0,
            height: 5,
        },
        Shape::Resize {
            width: 0,
            height: 5,
            fit: Fit::Exact,
        },
        Shape::Resize {
            width: 9000,
            height: 5,
            fit: Fit::Exact,
        },
    ] {
        assert_eq!(
            make(shape),
            Err(Refusal::NotPossible {
                width: 40,
                height: 20
            }),
            "{shape:?}"
        );
    }
}

#[test]
fn animations_stay_animations_and_lose_what_is_not_picture() {
    let source = [animation(12).as_slice(), b"GIF comment of a stranger"].concat();
    let clean = picture::clean(&source, Limits::default()).unwrap();
    assert!(!clean.bytes.ends_with(b"stranger"));
    assert_eq!(
        picture::inspect(&clean.bytes, Limits::default()).unwrap().frames,
        12
    );
    let mut decoder = gif::DecodeOptions::new()
        .read_info(clean.bytes.as_slice())
        .unwrap();
    for at in 0..12 {
        let frame = decoder.read_next_frame().unwrap().unwrap();
        assert_eq!(frame.delay, 10);
        assert_eq!(frame.buffer.iter().position(|pixel| *pixel == 1), Some(at));
    }
    assert_eq!(decoder.repeat(), gif::Repeat::Infinite);
}

#[test]
fn a_moving_webp_stays_one() {
    let config = webp::WebPConfig::new().unwrap();
    let frames: Vec<Vec<u8>> = [[250, 10, 10], [10, 250, 10], [10, 10, 250]]
        .iter()
        .map(|[r, g, b]| [*r, *g, *b, 255].repeat(16 * 16))
        .collect();
    let mut encoder = webp::AnimEncoder::new(16, 16, &config);
    for (at, pixels) in (0..).zip(&frames) {
        encoder.add_frame(webp::AnimFrame::from_rgba(pixels, 16, 16, at * 100));
    }
    let source = encoder.try_encode().unwrap().to_vec();
    let frames = picture::inspect(&source, Limits::default()).unwrap().frames;
    assert!(frames > 1);
    let clean = picture::clean(&source, Limits::default()).unwrap();
    let facts = picture::inspect(&clean.bytes, Limits::default()).unwrap();
    assert_eq!((facts.frames, facts.width), (frames, 16));
}

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
