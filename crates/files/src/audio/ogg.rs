//! Ogg (RFC 3533) with one stream of Vorbis or Opus (RFC 7845).

use super::{Codec, MOST_PACKETS, Packet, Track};
use crate::bytes::Walk;

/// A page of the stream.
struct Page<'a> {
    granule: u64,
    serial: u32,
    /// The lengths of its segments, and what they hold.
    table: &'a [u8],
    data: &'a [u8],
}

fn page<'a>(walk: &mut Walk<'a>) -> Option<Page<'a>> {
    if &walk.array()? != b"OggS" {
        return None;
    }
    walk.skip(2)?;
    let granule = walk.le64()?;
    let serial = walk.le32()?;
    walk.skip(8)?;
    let segments = usize::from(walk.u8()?);
    let table = walk.take(segments)?;
    let data = walk.take(table.iter().map(|length| usize::from(*length)).sum())?;
    Some(Page {
        granule,
        serial,
        table,
        data,
    })
}

/// Reads the first stream; others beside it are passed over.
pub(super) fn read(bytes: &[u8]) -> Option<Track<'_>> {
    let mut walk = Walk::new(bytes);
    let first = page(&mut walk)?;
    let mut last = None;
    let mut packets = Vec::new();
    let mut unfinished = Vec::new();
    let mut next = Some(Page { ..first });
    let serial = next.as_ref()?.serial;
    while let Some(page) = next {
        if page.serial == serial {
            // −1: no packet ends on the page.
            if page.granule != u64::MAX {
                last = Some(page.granule);
            }
            split(&page, &mut unfinished, &mut packets);
        }
        next = self::page(&mut walk);
    }
    let mut packets = packets.into_iter();
    let head = packets.next()?;
    let mut head = Walk::new(head.bytes());
    if head.rest().starts_with(b"OpusHead") {
        head.skip(9)?;
        let channels = u16::from(head.u8()?);
        let skip = head.le16()?;
        let sample_rate = 48_000;
        return Some(Track {
            codec: Codec::Opus,
            channels,
            sample_rate,
            units: last?.saturating_sub(u64::from(skip)),
            units_a_second: sample_rate,
            packets: packets.skip(1).collect(),
            skip: usize::from(skip),
        });
    }
    head.skip(11)?;
    let channels = u16::from(head.u8()?);
    let sample_rate = head.le32()?;
    Some(Track {
        codec: Codec::Vorbis,
        channels,
        sample_rate,
        units: last?,
        units_a_second: sample_rate,
        packets: Vec::new(),
        skip: 0,
    })
}

/// Cuts a page into packets. One that goes on over the page's end is joined.
fn split<'a>(page: &Page<'a>, unfinished: &mut Vec<u8>, packets: &mut Vec<Packet<'a>>) {
    let mut data = Walk::new(page.data);
    let mut length = 0_usize;
    for segment in page.table {
        length += usize::from(*segment);
        if *segment == 255 {
            continue;
        }
        let Some(packet) = data.take(std::mem::take(&mut length)) else {
            return;
        };
        if packets.len() >= MOST_PACKETS || packet.is_empty() && unfinished.is_empty() {
            unfinished.clear();
        } else if unfinished.is_empty() {
            packets.push(Packet::Whole(packet));
        } else {
            unfinished.extend_from_slice(packet);
            packets.push(Packet::Joined(std::mem::take(unfinished)));
        }
    }
    unfinished.extend_from_slice(data.rest());
}
