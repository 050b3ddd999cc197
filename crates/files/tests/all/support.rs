//! Files made for the tests.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder as _, ImageFormat, RgbImage};
use parlour_files::kinds::Kind;

/// A picture whose corners can be told apart: red, green above; blue, white below.
pub(crate) fn corners(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => image::Rgb([230, 20, 20]),
        (false, true) => image::Rgb([20, 230, 20]),
        (true, false) => image::Rgb([20, 20, 230]),
        (false, false) => image::Rgb([235, 235, 235]),
    })
}

pub(crate) fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    corners(width, height).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG whose EXIF says that it lies on its side, and where it was taken.
pub(crate) fn photo(orientation: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x02\0".to_vec();
    exif.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    exif.extend([0x0e, 0x01, 2, 0, 20, 0, 0, 0, 38, 0, 0, 0]);
    exif.extend([0; 4]);
    exif.extend(b"N 48.2 E 16.4 home\0\0");
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 92);
    encoder.set_exif_metadata(exif).unwrap();
    let picture = corners(64, 32);
    encoder
        .write_image(&picture, 64, 32, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// A GIF of so many frames.
pub(crate) fn animation(frames: u16) -> Vec<u8> {
    let mut encoder = gif::Encoder::new(Vec::new(), 4, 4, &[0, 0, 0, 255, 255, 255]).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    for at in 0..frames {
        let pixels: Vec<u8> = (0..16).map(|pixel| u8::from(pixel == at % 16)).collect();
        let mut frame = gif::Frame::from_indexed_pixels(4, 4, pixels, None);
        frame.palette = None;
        frame.delay = 10;
        encoder.write_frame(&frame).unwrap();
    }
    encoder.into_inner().unwrap()
}

/// One harmless file of every type.
pub(crate) fn every_kind() -> Vec<(Kind, Vec<u8>)> {
    vec![
        (Kind::Jpeg, photo(1)),
        (Kind::Png, picture(ImageFormat::Png, 8, 8)),
        (Kind::Gif, animation(3)),
        (Kind::WebP, picture(ImageFormat::WebP, 8, 8)),
        (Kind::Mp3, include_bytes!("../fixtures/tone.mp3").to_vec()),
        (Kind::Wav, include_bytes!("../fixtures/tone.wav").to_vec()),
        (Kind::Ogg, include_bytes!("../fixtures/opus.ogg").to_vec()),
        (Kind::Ogg, include_bytes!("../fixtures/vorbis.ogg").to_vec()),
        (Kind::M4a, include_bytes!("../fixtures/tone.m4a").to_vec()),
        (Kind::M4a, include_bytes!("../fixtures/fragmented.mp4").to_vec()),
        (Kind::Mp4, include_bytes!("../fixtures/video.mp4").to_vec()),
        (Kind::WebmAudio, include_bytes!("../fixtures/tone.webm").to_vec()),
        (Kind::WebmAudio, include_bytes!("../fixtures/live.webm").to_vec()),
        (Kind::Webm, include_bytes!("../fixtures/video.webm").to_vec()),
        (Kind::Pdf, pdf("")),
        (Kind::Text, "A dream of water.\nقهوة ☕\n".into()),
    ]
}

/// A PDF of one empty page, with something more in its catalogue.
pub(crate) fn pdf(catalogue: &str) -> Vec<u8> {
    format!(
        "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R {catalogue} >>\nendobj\n\
         2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
         3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>\nendobj\n\
         trailer\n<< /Root 1 0 R /Size 4 >>\n%%EOF\n"
    )
    .into_bytes()
}

/// The test file of scanners, put together here so that no scanner finds this one.
pub(crate) fn eicar() -> Vec<u8> {
    [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR",
        "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    ]
    .concat()
    .into_bytes()
}
