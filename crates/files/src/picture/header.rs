//! What a picture's header promises, read without decoding anything.

use super::{Limits, Refusal, jpeg};
use crate::bytes::Walk;
use crate::kinds::{Kind, sniff};

/// A picture's promises.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) frames: u32,
    /// Written without loss, as far as the header says.
    pub(super) lossless: bool,
}

/// Reads the header of a picture and holds it against the limits.
pub(super) fn read(bytes: &[u8], limits: Limits) -> Result<Header, Refusal> {
    let kind = sniff(bytes.get(..crate::kinds::HEAD).unwrap_or(bytes)).ok_or(Refusal::NotAPicture)?;
    let header = match kind {
        Kind::Jpeg => jpeg::read(bytes)?,
        Kind::Png => png(bytes).ok_or_else(|| damaged("no header"))?,
        Kind::Gif => gif(bytes, limits.frames).ok_or_else(|| damaged("no header"))?,
        Kind::WebP => webp(bytes).ok_or_else(|| damaged("no header"))?,
        _ => return Err(Refusal::NotAPicture),
    };
    let Header {
        width,
        height,
        frames,
        ..
    } = header;
    if width == 0 || height == 0 || frames == 0 {
        return Err(damaged("it is empty"));
    }
    let pixels = u64::from(width)
        .saturating_mul(u64::from(height))
        .saturating_mul(u64::from(frames));
    if pixels > limits.pixels {
        return Err(Refusal::TooManyPixels {
            width,
            height,
            frames,
        });
    }
    if frames > limits.frames {
        return Err(Refusal::TooManyFrames);
    }
    Ok(header)
}

pub(super) fn damaged(why: &str) -> Refusal {
    Refusal::Damaged(why.to_owned())
}

fn png(bytes: &[u8]) -> Option<Header> {
    let mut walk = Walk::new(bytes);
    walk.skip(12)?;
    if &walk.array()? != b"IHDR" {
        return None;
    }
    let (width, height) = (walk.be32()?, walk.be32()?);
    Some(Header {
        kind: Kind::Png,
        width,
        height,
        frames: 1,
        lossless: true,
    })
}

/// Walks over the blocks and counts the frames, to one more than `most`.
fn gif(bytes: &[u8], most: u32) -> Option<Header> {
    let mut walk = Walk::new(bytes);
    walk.skip(6)?;
    let (width, height) = (u32::from(walk.le16()?), u32::from(walk.le16()?));
    let palette = walk.u8()?;
    walk.skip(2)?;
    walk.skip(colours(palette))?;
    let mut frames = 0;
    while frames <= most {
        // What is cut off is found when it is decoded.
        let Some(()) = gif_block(&mut walk, &mut frames) else {
            break;
        };
    }
    Some(Header {
        kind: Kind::Gif,
        width,
        height,
        frames,
        lossless: true,
    })
}

fn gif_block(walk: &mut Walk<'_>, frames: &mut u32) -> Option<()> {
    match walk.u8()? {
        0x2c => {
            *frames = frames.saturating_add(1);
            walk.skip(8)?;
            let palette = walk.u8()?;
            walk.skip(colours(palette))?;
            walk.skip(1)?;
        }
        0x21 => walk.skip(1)?,
        _ => return None,
    }
    loop {
        match walk.u8()? {
            0 => return Some(()),
            length => walk.skip(usize::from(length))?,
        }
    }
}

/// The bytes of a colour table whose flags are these.
const fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

fn webp(bytes: &[u8]) -> Option<Header> {
    let mut walk = Walk::new(bytes);
    walk.skip(12)?;
    let name: [u8; 4] = walk.array()?;
    let length = walk.le32()?;
    let still = |width, height, lossless| Header {
        kind: Kind::WebP,
        width,
        height,
        frames: 1,
        lossless,
    };
    match &name {
        b"VP8 " => {
            walk.skip(6)?;
            Some(still(
                u32::from(walk.le16()? & 0x3fff),
                u32::from(walk.le16()? & 0x3fff),
                false,
            ))
        }
        b"VP8L" => {
            walk.skip(1)?;
            let bits = walk.le32()?;
            Some(still((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1, true))
        }
        b"VP8X" => {
            let flags = walk.u8()?;
            walk.skip(3)?;
            let (width, height) = (walk.le24()? + 1, walk.le24()? + 1);
            walk.skip(usize::try_from(length).ok()?.checked_sub(10)?)?;
            let (frames, lossless) = webp_chunks(walk);
            let frames = if flags & 2 == 0 { 1 } else { frames };
            Some(Header {
                kind: Kind::WebP,
                width,
                height,
                frames,
                lossless,
            })
        }
        _ => None,
    }
}

/// The frames of an animation, and whether the first picture is without loss.
fn webp_chunks(mut walk: Walk<'_>) -> (u32, bool) {
    let (mut frames, mut lossless) = (0_u32, false);
    let next = |walk: &mut Walk<'_>| {
        let name: [u8; 4] = walk.array()?;
        let length = usize::try_from(walk.le32()?).ok()?;
        walk.skip(length.checked_add(length & 1)?)?;
        Some(name)
    };
    while let Some(name) = next(&mut walk) {
        match &name {
            b"ANMF" => frames = frames.saturating_add(1),
            b"VP8L" => lossless = true,
            _ => {}
        }
    }
    (frames, lossless)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG that says how large it is and has nothing else.
    fn png_of(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn a_picture_above_the_limit_is_refused_by_its_header() {
        let refused = read(&png_of(50_000, 50_000), Limits::default()).unwrap_err();
        assert_eq!(
            refused,
            Refusal::TooManyPixels {
                width: 50_000,
                height: 50_000,
                frames: 1
            }
        );
        assert!(read(&png_of(10_000, 10_000), Limits::default()).is_ok());
        assert!(matches!(
            read(&png_of(u32::MAX, u32::MAX), Limits::default()),
            Err(Refusal::TooManyPixels { .. })
        ));
    }

    #[test]
    fn frames_are_counted_up_to_the_limit_and_multiply() {
        let mut bytes = b"GIF89a\x01\0\x01\0\0\0\0".to_vec();
        for _ in 0..100_000 {
            bytes.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
        }
        assert_eq!(
            read(&bytes, Limits::default()).unwrap_err(),
            Refusal::TooManyFrames
        );
        let few = bytes.get(..13 + 15 * 40).unwrap();
        assert_eq!(read(few, Limits::default()).unwrap().frames, 40);
        assert!(
            read(
                few,
                Limits {
                    pixels: 40,
                    frames: 40
                }
            )
            .is_ok()
        );
        assert!(
            read(
                few,
                Limits {
                    pixels: 39,
                    frames: 40
                }
            )
            .is_err()
        );
    }

    #[test]
    fn an_empty_picture_is_damaged() {
        assert!(matches!(
            read(&png_of(0, 7), Limits::default()),
            Err(Refusal::Damaged(_))
        ));
        assert!(matches!(
            read(b"GIF89a\x01\0\x01\0\0\0\0;", Limits::default()),
            Err(Refusal::Damaged(_))
        ));
    }
}
