//! A JPEG's segments (ITU-T T.81): decoders forgive too much of what is missing.

use super::Refusal;
use super::header::{Header, damaged};
use crate::bytes::Walk;
use crate::kinds::Kind;

/// A progressive picture has about ten scans; each costs a pass over the whole of it.
const MAX_SCANS: u32 = 64;

/// Reads the size, and sees to it that the picture goes on to its end.
pub(super) fn read(bytes: &[u8]) -> Result<Header, Refusal> {
    let mut walk = Walk::new(bytes);
    let mut size = None;
    let mut scans = 0_u32;
    walk.skip(2).ok_or_else(|| damaged("no header"))?;
    loop {
        let marker = next_marker(&mut walk).ok_or_else(|| damaged("it ends before its end"))?;
        match marker {
            0xd9 => break,
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let length = walk.be16().and_then(|length| usize::from(length).checked_sub(2));
        let segment = length
            .and_then(|length| walk.take(length))
            .ok_or_else(|| damaged("it ends in a header"))?;
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                if size.is_some() {
                    return Err(damaged("it has two sizes"));
                }
                size = Some(frame(segment).ok_or_else(|| damaged("no size"))?);
            }
            0xda => scans = scans.saturating_add(1),
            _ => {}
        }
        if scans > MAX_SCANS {
            return Err(damaged("it has too many scans"));
        }
    }
    let (width, height) = size.ok_or_else(|| damaged("no size"))?;
    if scans == 0 {
        return Err(damaged("it has no picture"));
    }
    Ok(Header {
        kind: Kind::Jpeg,
        width,
        height,
        frames: 1,
        lossless: false,
    })
}

fn frame(segment: &[u8]) -> Option<(u32, u32)> {
    let mut walk = Walk::new(segment);
    walk.skip(1)?;
    let height = walk.be16()?;
    let width = walk.be16()?;
    Some((u32::from(width), u32::from(height)))
}

/// Goes over the rest of a scan to the next marker that is no part of one.
fn next_marker(walk: &mut Walk<'_>) -> Option<u8> {
    loop {
        let at = memchr::memchr(0xff, walk.rest())?;
        walk.skip(at)?;
        while walk.rest().first() == Some(&0xff) {
            walk.skip(1)?;
        }
        match walk.u8()? {
            0x00 => {}
            marker => return Some(marker),
        }
    }
}
