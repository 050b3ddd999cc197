//! `WebM`: a row of elements with names and lengths (EBML, RFC 8794), some within others.
//!
//! Elements that hold others are entered wherever they stand; recorders that stream do not know
//! their lengths.

use super::decode::opus_samples;
use super::{Codec, MOST_PACKETS, Packet, Track};
use crate::bytes::Walk;

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const SCALE: u32 = 0x002a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const NUMBER: u32 = 0xd7;
const CODEC: u32 = 0x86;
const DELAY: u32 = 0x56aa;
const AUDIO: u32 = 0xe1;
const CHANNELS: u32 = 0x9f;
const FREQUENCY: u32 = 0xb5;
const CLUSTER: u32 = 0x1f43_b675;
const TIME: u32 = 0xe7;
const GROUP: u32 = 0xa0;
const BLOCK: u32 = 0xa1;
const SIMPLE: u32 = 0xa3;

#[derive(Default)]
struct Found<'a> {
    scale: u64,
    duration: f64,
    tracks: Vec<Described>,
    cluster: u64,
    blocks: Vec<(u64, u64, &'a [u8])>,
    last: u64,
}

#[derive(Default)]
struct Described {
    number: u64,
    codec: String,
    channels: u64,
    frequency: f64,
    delay_ns: u64,
}

/// Reads the first track with sound and its packets.
pub(super) fn read(bytes: &[u8]) -> Option<Track<'_>> {
    let mut found = Found {
        scale: 1_000_000,
        ..Found::default()
    };
    let mut walk = Walk::new(bytes);
    // What is cut off at the end is left out.
    while element(&mut walk, &mut found).is_some() {}
    let sound = found.tracks.iter().find(|track| track.codec.starts_with("A_"));
    let number = sound.map_or(0, |track| track.number);
    let packets: Vec<_> = found
        .blocks
        .iter()
        .filter(|(track, ..)| *track == number)
        .collect();
    let codec = match sound.map(|track| track.codec.as_str()) {
        Some("A_OPUS") => Codec::Opus,
        Some("A_VORBIS") => Codec::Vorbis,
        Some(other) => Codec::Other(other.trim_start_matches("A_").to_ascii_lowercase()),
        None => Codec::Other(String::new()),
    };
    let end_of_last = match (packets.last(), &codec) {
        (Some((_, _, packet)), Codec::Opus) => {
            u64::from(opus_samples(packet).unwrap_or(0)) * 1_000_000_000 / 48_000
        }
        _ => 0,
    };
    let measured = found.last.saturating_mul(found.scale).saturating_add(end_of_last);
    let nanoseconds = said(found.duration, found.scale).unwrap_or(measured);
    let sample_rate = if codec == Codec::Opus {
        48_000
    } else {
        sound.map_or(0, |track| rate(track.frequency))
    };
    let delay = sound.map_or(0, |track| track.delay_ns);
    Some(Track {
        channels: sound.map_or(0, |track| {
            u16::try_from(track.channels.max(1)).unwrap_or(u16::MAX)
        }),
        sample_rate,
        units: nanoseconds,
        units_a_second: 1_000_000_000,
        packets: packets
            .into_iter()
            .map(|(_, _, packet)| Packet::Whole(packet))
            .collect(),
        skip: usize::try_from(delay.saturating_mul(u64::from(sample_rate)) / 1_000_000_000).unwrap_or(0),
        codec,
    })
    .filter(|track| track.units > 0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and saturating"
)]
fn said(duration: f64, scale: u64) -> Option<u64> {
    #[expect(clippy::cast_precision_loss, reason = "a scale is a round number")]
    let scale = scale as f64;
    (duration.is_finite() && duration > 0.0).then_some((duration * scale) as u64)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturating"
)]
fn rate(frequency: f64) -> u32 {
    frequency as u32
}

fn element<'a>(walk: &mut Walk<'a>, found: &mut Found<'a>) -> Option<()> {
    let id = id(walk)?;
    let size = size(walk)?;
    if matches!(id, SEGMENT | INFO | TRACKS | TRACK | AUDIO | CLUSTER | GROUP) {
        if id == TRACK && found.tracks.len() < 64 {
            found.tracks.push(Described {
                channels: 1,
                ..Described::default()
            });
        }
        return Some(());
    }
    let data = walk.take(usize::try_from(size).ok()?)?;
    match id {
        SCALE => found.scale = number(data).max(1),
        DURATION => found.duration = float(data),
        TIME => found.cluster = number(data),
        BLOCK | SIMPLE => block(data, found)?,
        _ => {}
    }
    if let Some(track) = found.tracks.last_mut() {
        match id {
            NUMBER => track.number = number(data),
            CODEC => track.codec = String::from_utf8_lossy(data.get(..32).unwrap_or(data)).into_owned(),
            DELAY => track.delay_ns = number(data),
            CHANNELS => track.channels = number(data),
            FREQUENCY => track.frequency = float(data),
            _ => {}
        }
    }
    Some(())
}

fn block<'a>(data: &'a [u8], found: &mut Found<'a>) -> Option<()> {
    let mut walk = Walk::new(data);
    let track = size(&mut walk)?;
    let offset = i16::from_be_bytes(walk.array()?);
    let laced = walk.u8()? & 0x06 != 0;
    let time = found.cluster.saturating_add_signed(i64::from(offset));
    found.last = found.last.max(time);
    if !laced && found.blocks.len() < MOST_PACKETS {
        found.blocks.push((track, time, walk.rest()));
    }
    Some(())
}

/// One to four bytes, with the bit that tells how many.
fn id(walk: &mut Walk<'_>) -> Option<u32> {
    let first = *walk.rest().first()?;
    let length = usize::try_from(first.leading_zeros()).ok()? + 1;
    if length > 4 {
        return None;
    }
    Some(
        walk.take(length)?
            .iter()
            .fold(0, |sum, byte| (sum << 8) | u32::from(*byte)),
    )
}

/// A length that is not known yet.
const UNKNOWN: u64 = u64::MAX;

/// One to eight bytes without that bit.
fn size(walk: &mut Walk<'_>) -> Option<u64> {
    let first = *walk.rest().first()?;
    let length = usize::try_from(first.leading_zeros()).ok()? + 1;
    if length > 8 {
        return None;
    }
    let value = walk
        .take(length)?
        .iter()
        .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let most = (1_u64 << (7 * length)) - 1;
    let value = value & most;
    Some(if value == most { UNKNOWN } else { value })
}

fn number(data: &[u8]) -> u64 {
    data.iter()
        .take(8)
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

fn float(data: &[u8]) -> f64 {
    let mut walk = Walk::new(data);
    match data.len() {
        4 => walk
            .array()
            .map_or(0.0, |bytes| f64::from(f32::from_be_bytes(bytes))),
        8 => walk.array().map_or(0.0, f64::from_be_bytes),
        _ => 0.0,
    }
}
