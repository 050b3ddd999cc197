//! What is made of pictures.

use image::{DynamicImage, ImageFormat};
use parlour_files::kinds::{Kind, sniff};
use parlour_files::picture::{self, Derived, Fit, Format, Limits, Recipe, Refusal, Shape};

use crate::support::{corners, photo, picture as file};

pub(crate) fn decoded(derived: &Derived) -> DynamicImage {
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

pub(crate) fn seen_corners(image: &DynamicImage) -> [usize; 4] {
    let (right, bottom) = (image.width() - 2, image.height() - 2);
    [
        colour(image, 1, 1),
        colour(image, right, 1),
        colour(image, 1, bottom),
        colour(image, right, bottom),
    ]
}

pub(crate) fn resize(width: u32, height: u32, fit: Fit) -> Recipe {
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
