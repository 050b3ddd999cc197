//! MPEG-4 files (ISO 14496-12): boxes within boxes.

use super::decode::aac_layout;
use super::mp4_fragments::{Defaults, fragments};
use super::{Codec, MOST_PACKETS, Packet, Track};
use crate::bytes::Walk;

/// The next box: its name and content.
pub(super) fn next_box<'a>(walk: &mut Walk<'a>) -> Option<([u8; 4], &'a [u8])> {
    let size = walk.be32()?;
    let name = walk.array()?;
    let length = match size {
        0 => walk.len(),
        1 => usize::try_from(walk.be64()?.checked_sub(16)?).ok()?,
        size => usize::try_from(size.checked_sub(8)?).ok()?,
    };
    // The last one may be cut off.
    let content = walk.take(length.min(walk.len()))?;
    Some((name, content))
}

/// The first box of that name.
pub(super) fn child(content: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let mut walk = Walk::new(content);
    while let Some((found, inner)) = next_box(&mut walk) {
        if found == name {
            return Some(inner);
        }
    }
    None
}

fn path<'a>(content: &'a [u8], names: &[&[u8; 4]]) -> Option<&'a [u8]> {
    names
        .iter()
        .try_fold(content, |content, name| child(content, **name))
}

/// A header's time scale and duration, of either version.
fn times(content: &[u8]) -> Option<(u32, u64)> {
    let mut walk = Walk::new(content);
    let version = walk.u8()?;
    walk.skip(3)?;
    if version == 1 {
        walk.skip(16)?;
        Some((walk.be32()?, walk.be64()?))
    } else {
        walk.skip(8)?;
        Some((walk.be32()?, u64::from(walk.be32()?)))
    }
}

/// Reads the first track with sound; a moving picture without any is as long as it says.
pub(super) fn read(bytes: &[u8]) -> Option<Track<'_>> {
    let movie = child(bytes, *b"moov")?;
    let (movie_scale, movie_length) = times(child(movie, *b"mvhd")?)?;
    let mut walk = Walk::new(movie);
    while let Some((name, track)) = next_box(&mut walk) {
        let handler = path(track, &[b"mdia", b"hdlr"]).and_then(|handler| handler.get(8..12));
        if &name == b"trak" && handler == Some(b"soun") {
            return sound(bytes, movie, track);
        }
    }
    Some(Track {
        codec: Codec::Other(String::new()),
        channels: 0,
        sample_rate: 0,
        units: movie_length,
        units_a_second: movie_scale,
        packets: Vec::new(),
        skip: 0,
    })
}

fn sound<'a>(bytes: &'a [u8], movie: &'a [u8], track: &'a [u8]) -> Option<Track<'a>> {
    let (scale, length) = times(path(track, &[b"mdia", b"mdhd"])?)?;
    let table = path(track, &[b"mdia", b"minf", b"stbl"])?;
    let (codec, channels, sample_rate) = description(child(table, *b"stsd")?)?;
    let mut packets = samples(bytes, table).unwrap_or_default();
    let mut units = length;
    if let Some(extends) = child(movie, *b"mvex") {
        let number = track_number(child(track, *b"tkhd")?)?;
        let more = fragments(bytes, number, Defaults::of(extends, number));
        units = units.max(more.units);
        packets.extend(more.packets);
    }
    Some(Track {
        codec,
        channels,
        sample_rate,
        units,
        units_a_second: scale,
        packets,
        skip: 0,
    })
}

fn track_number(header: &[u8]) -> Option<u32> {
    let mut walk = Walk::new(header);
    let version = walk.u8()?;
    walk.skip(if version == 1 { 19 } else { 11 })?;
    walk.be32()
}

/// What the samples are: codec, channels, samples a second.
fn description(table: &[u8]) -> Option<(Codec, u16, u32)> {
    let mut walk = Walk::new(table.get(8..)?);
    let (name, entry) = next_box(&mut walk)?;
    let mut fields = Walk::new(entry);
    fields.skip(16)?;
    let channels = fields.be16()?;
    fields.skip(6)?;
    let sample_rate = fields.be32()? >> 16;
    let codec = match &name {
        b"mp4a" => esds(child(fields.rest(), *b"esds")?),
        b"Opus" => Codec::Opus,
        other => Codec::Other(String::from_utf8_lossy(other).trim().to_ascii_lowercase()),
    };
    // Some writers say two channels whatever there are.
    let said = match &codec {
        Codec::Aac(configuration) => aac_layout(configuration),
        _ => None,
    };
    let (channels, sample_rate) = said.unwrap_or((channels, sample_rate));
    Some((codec, channels, sample_rate))
}

/// MPEG-4's descriptors: the kind of stream, and AAC's configuration (ISO 14496-1, 7.2.6).
fn esds(content: &[u8]) -> Codec {
    let mut walk = Walk::new(content.get(4..).unwrap_or_default());
    let mut kind = 0;
    while let Some(tag) = walk.u8() {
        let Some(length) = descriptor_length(&mut walk) else {
            break;
        };
        let skipped = match tag {
            // Within them the next one begins.
            3 => es_fields(&mut walk),
            4 => {
                kind = walk.u8().unwrap_or(0);
                walk.skip(12)
            }
            5 if kind == 0x40 => {
                let configuration = walk.rest().get(..length).unwrap_or_default();
                return Codec::Aac(configuration.to_vec());
            }
            _ => walk.skip(length),
        };
        if skipped.is_none() {
            break;
        }
    }
    match kind {
        0x6b | 0x69 => Codec::Mp3,
        0x40 | 0x66..=0x68 => Codec::Aac(Vec::new()),
        kind => Codec::Other(format!("mp4a-{kind:02x}")),
    }
}

fn es_fields(walk: &mut Walk<'_>) -> Option<()> {
    walk.skip(2)?;
    let flags = walk.u8()?;
    if flags & 0x80 != 0 {
        walk.skip(2)?;
    }
    if flags & 0x40 != 0 {
        let length = walk.u8()?;
        walk.skip(usize::from(length))?;
    }
    if flags & 0x20 != 0 {
        walk.skip(2)?;
    }
    Some(())
}

fn descriptor_length(walk: &mut Walk<'_>) -> Option<usize> {
    let mut length = 0;
    for _ in 0..4 {
        let byte = walk.u8()?;
        length = (length << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
    None
}

/// The samples by the tables of chunks, of samples in each, and of sizes.
fn samples<'a>(bytes: &'a [u8], table: &[u8]) -> Option<Vec<Packet<'a>>> {
    let mut sizes = Sizes::of(child(table, *b"stsz")?)?;
    let mut chunks = Chunks::of(table)?;
    let mut runs = Walk::new(child(table, *b"stsc")?.get(4..)?);
    let mut left = runs.be32()?;
    let mut run = (0, 0);
    let mut following = next_run(&mut runs, &mut left);
    let mut packets = Vec::new();
    let mut chunk = 0_u32;
    while let Some(offset) = chunks.next() {
        chunk += 1;
        if let Some(next) = following.filter(|(first, _)| *first <= chunk) {
            run = next;
            following = next_run(&mut runs, &mut left);
        }
        let mut at = usize::try_from(offset).ok()?;
        for _ in 0..run.1 {
            let Some(size) = sizes.next() else {
                return Some(packets);
            };
            let end = at.checked_add(size)?;
            packets.push(Packet::Whole(bytes.get(at..end)?));
            if packets.len() >= MOST_PACKETS {
                return Some(packets);
            }
            at = end;
        }
    }
    Some(packets)
}

fn next_run(walk: &mut Walk<'_>, left: &mut u32) -> Option<(u32, u32)> {
    *left = left.checked_sub(1)?;
    let run = (walk.be32()?, walk.be32()?);
    walk.skip(4)?;
    Some(run)
}

struct Sizes<'a> {
    same: u32,
    left: u32,
    walk: Walk<'a>,
}

impl<'a> Sizes<'a> {
    fn of(content: &'a [u8]) -> Option<Self> {
        let mut walk = Walk::new(content.get(4..)?);
        Some(Self {
            same: walk.be32()?,
            left: walk.be32()?,
            walk,
        })
    }

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let size = if self.same == 0 {
            self.walk.be32()?
        } else {
            self.same
        };
        usize::try_from(size).ok()
    }
}

struct Chunks<'a> {
    walk: Walk<'a>,
    wide: bool,
}

impl<'a> Chunks<'a> {
    fn of(table: &'a [u8]) -> Option<Self> {
        let (content, wide) = match child(table, *b"stco") {
            Some(content) => (content, false),
            None => (child(table, *b"co64")?, true),
        };
        Some(Self {
            walk: Walk::new(content.get(8..)?),
            wide,
        })
    }

    fn next(&mut self) -> Option<u64> {
        if self.wide {
            self.walk.be64()
        } else {
            self.walk.be32().map(u64::from)
        }
    }
}
