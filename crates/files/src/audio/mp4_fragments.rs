//! MPEG-4 files that were written while they were recorded: their samples are in fragments.

use super::mp4::{child, next_box};
use super::{MOST_PACKETS, Packet};
use crate::bytes::Walk;

/// What holds for samples that say nothing themselves.
#[derive(Clone, Copy, Default)]
pub(super) struct Defaults {
    duration: u32,
    size: u32,
}

impl Defaults {
    /// Those of a track.
    pub(super) fn of(extends: &[u8], track: u32) -> Self {
        let mut walk = Walk::new(extends);
        while let Some((name, content)) = next_box(&mut walk) {
            let mut fields = Walk::new(content.get(4..).unwrap_or_default());
            if &name == b"trex" && fields.be32() == Some(track) {
                let read = (|| {
                    fields.skip(4)?;
                    Some(Self {
                        duration: fields.be32()?,
                        size: fields.be32()?,
                    })
                })();
                return read.unwrap_or_default();
            }
        }
        Self::default()
    }
}

/// What the fragments of a track hold together.
#[derive(Default)]
pub(super) struct Fragments<'a> {
    pub(super) units: u64,
    pub(super) packets: Vec<Packet<'a>>,
}

/// Collects the samples of a track from all fragments; a damaged one ends the file.
pub(super) fn fragments(bytes: &[u8], track: u32, defaults: Defaults) -> Fragments<'_> {
    let mut found = Fragments::default();
    let mut walk = Walk::new(bytes);
    loop {
        let start = bytes.len().saturating_sub(walk.len());
        let Some((name, fragment)) = next_box(&mut walk) else {
            return found;
        };
        if &name != b"moof" {
            continue;
        }
        let mut parts = Walk::new(fragment);
        while let Some((name, part)) = next_box(&mut parts) {
            if &name == b"traf" && of_track(bytes, start, part, track, defaults, &mut found).is_none() {
                return found;
            }
        }
    }
}

fn of_track<'a>(
    bytes: &'a [u8],
    start: usize,
    part: &[u8],
    track: u32,
    mut defaults: Defaults,
    found: &mut Fragments<'a>,
) -> Option<()> {
    let mut header = Walk::new(child(part, *b"tfhd")?);
    let flags = header.be32()?;
    if header.be32()? != track {
        return Some(());
    }
    let base = if flags & 1 == 0 {
        start
    } else {
        usize::try_from(header.be64()?).ok()?
    };
    if flags & 2 != 0 {
        header.skip(4)?;
    }
    if flags & 8 != 0 {
        defaults.duration = header.be32()?;
    }
    if flags & 0x10 != 0 {
        defaults.size = header.be32()?;
    }
    let mut runs = Walk::new(part);
    let mut at = base;
    while let Some((name, run)) = next_box(&mut runs) {
        if &name == b"trun" {
            at = samples(bytes, run, base, at, defaults, found)?;
        }
    }
    Some(())
}

/// A run of samples one after the other; where it ends.
fn samples<'a>(
    bytes: &'a [u8],
    run: &[u8],
    base: usize,
    after: usize,
    defaults: Defaults,
    found: &mut Fragments<'a>,
) -> Option<usize> {
    let mut walk = Walk::new(run);
    let flags = walk.be32()?;
    let count = walk.be32()?;
    let mut at = after;
    if flags & 1 != 0 {
        let offset = isize::try_from(i32::from_be_bytes(walk.array()?)).ok()?;
        at = base.checked_add_signed(offset)?;
    }
    if flags & 4 != 0 {
        walk.skip(4)?;
    }
    for _ in 0..count {
        let duration = if flags & 0x100 == 0 {
            defaults.duration
        } else {
            walk.be32()?
        };
        let size = if flags & 0x200 == 0 {
            defaults.size
        } else {
            walk.be32()?
        };
        walk.skip(if flags & 0x400 == 0 { 0 } else { 4 })?;
        walk.skip(if flags & 0x800 == 0 { 0 } else { 4 })?;
        let end = at.checked_add(usize::try_from(size).ok()?)?;
        // An empty sample would make a short file last for ever.
        let packet = bytes
            .get(at..end)
            .filter(|packet| !packet.is_empty() && found.packets.len() < MOST_PACKETS)?;
        found.units = found.units.saturating_add(u64::from(duration));
        found.packets.push(Packet::Whole(packet));
        at = end;
    }
    Some(at)
}
