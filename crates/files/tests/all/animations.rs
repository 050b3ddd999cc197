//! Pictures that move.

use parlour_files::picture::{self, Limits};

use crate::support::animation;

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
