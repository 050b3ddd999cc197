//! MPEG audio layer III: frames that follow each other.

use super::{Codec, MOST_PACKETS, Packet, Track};
use crate::bytes::Walk;

/// A frame's header.
#[derive(Clone, Copy)]
struct Frame {
    length: usize,
    samples: u32,
    sample_rate: u32,
    channels: u16,
}

/// The length of the layer III frame that begins here, if one does.
pub(crate) fn frame_length(bytes: &[u8]) -> Option<usize> {
    frame(bytes).map(|frame| frame.length)
}

fn frame(bytes: &[u8]) -> Option<Frame> {
    const FIRST: [u32; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
    const SECOND: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    let [sync, version, rates, mode] = Walk::new(bytes).array()?;
    if sync != 0xff || version & 0xe0 != 0xe0 || version & 0x06 != 0x02 {
        return None;
    }
    let half = match (version >> 3) & 3 {
        3 => 0,
        2 => 1,
        0 => 2,
        _ => return None,
    };
    let rates_of = if half == 0 { FIRST } else { SECOND };
    let bit_rate = *rates_of.get(usize::from(rates >> 4)).filter(|rate| **rate > 0)?;
    let sample_rate = [44_100_u32, 48_000, 32_000].get(usize::from((rates >> 2) & 3))? >> half;
    let samples = if half == 0 { 1152 } else { 576 };
    let padding = u32::from((rates >> 1) & 1);
    let length = samples / 8 * bit_rate * 1000 / sample_rate + padding;
    Some(Frame {
        length: usize::try_from(length).ok()?,
        samples,
        sample_rate,
        channels: if mode >> 6 == 3 { 1 } else { 2 },
    })
}

/// The bytes of a tag at the beginning.
fn tag(bytes: &[u8]) -> usize {
    let mut walk = Walk::new(bytes);
    let size = (|| {
        if &walk.array()? != b"ID3" {
            return None;
        }
        walk.skip(2)?;
        let footer = walk.u8()? & 0x10 != 0;
        let size = walk
            .array::<4>()?
            .iter()
            .fold(0_usize, |sum, byte| (sum << 7) | usize::from(byte & 0x7f));
        Some(10 + size + if footer { 10 } else { 0 })
    })();
    size.unwrap_or(0)
}

/// Walks over the frames.
pub(super) fn read(bytes: &[u8]) -> Option<Track<'_>> {
    let mut walk = Walk::new(bytes);
    walk.skip(tag(bytes))?;
    let mut packets = Vec::new();
    let mut units = 0_u64;
    let mut first = None::<Frame>;
    while !walk.rest().is_empty() {
        let found = frame(walk.rest())
            .filter(|frame| first.is_none_or(|first| first.sample_rate == frame.sample_rate));
        let Some(packet) = found.and_then(|frame| walk.take(frame.length).map(|packet| (frame, packet)))
        else {
            // Something else in between, or the end cut off.
            walk.skip(1)?;
            let Some(at) = memchr::memchr(0xff, walk.rest()) else {
                break;
            };
            walk.skip(at)?;
            continue;
        };
        let (frame, packet) = packet;
        if first.is_none() && is_index(packet) {
            continue;
        }
        first = first.or(Some(frame));
        units = units.saturating_add(u64::from(frame.samples));
        if packets.len() < MOST_PACKETS {
            packets.push(Packet::Whole(packet));
        }
    }
    let first = first?;
    Some(Track {
        codec: Codec::Mp3,
        channels: first.channels,
        sample_rate: first.sample_rate,
        units,
        units_a_second: first.sample_rate,
        packets,
        skip: 0,
    })
}

/// A first frame that holds no sound but where the rest of the file is.
fn is_index(packet: &[u8]) -> bool {
    let head = packet.get(..64).unwrap_or(packet);
    [&b"Xing"[..], b"Info", b"VBRI"]
        .iter()
        .any(|name| crate::bytes::find(head, name).is_some())
}
