//! RIFF WAVE with plain samples.

use super::{Codec, Packet, Track};
use crate::bytes::Walk;

/// How plain samples lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    bytes: usize,
    float: bool,
}

impl Layout {
    pub(super) const fn name(self) -> &'static str {
        if self.float { "float" } else { "pcm" }
    }

    /// The samples from −1 to 1.
    pub(super) fn samples(self, data: &[u8]) -> impl Iterator<Item = f32> {
        data.chunks_exact(self.bytes.max(1))
            .map(move |sample| self.sample(sample))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "loudness needs no more than a float keeps"
    )]
    fn sample(self, bytes: &[u8]) -> f32 {
        match (bytes, self.float) {
            (&[a], _) => (f32::from(a) - 128.0) / 128.0,
            (&[a, b], _) => f32::from(i16::from_le_bytes([a, b])) / 32_768.0,
            (&[a, b, c], _) => i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0,
            (&[a, b, c, d], true) => f32::from_le_bytes([a, b, c, d]).clamp(-1.0, 1.0),
            (&[a, b, c, d], false) => i32::from_le_bytes([a, b, c, d]) as f32 / 2_147_483_648.0,
            _ => 0.0,
        }
    }
}

/// Reads the format and the samples' chunk.
pub(super) fn read(bytes: &[u8]) -> Option<Track<'_>> {
    let mut walk = Walk::new(bytes);
    walk.skip(12)?;
    let mut format = None;
    loop {
        let name: [u8; 4] = walk.array()?;
        let length = usize::try_from(walk.le32()?).ok()?;
        // A recorder that wrote to a pipe did not know the length.
        let data = walk.rest().get(..length).unwrap_or(walk.rest());
        match &name {
            b"fmt " => format = read_format(data),
            b"data" => return track(format?, data),
            _ => {}
        }
        walk.skip(length.checked_add(length & 1)?)?;
    }
}

#[derive(Clone, Copy)]
struct Format {
    code: u16,
    channels: u16,
    sample_rate: u32,
    bits: u16,
}

fn read_format(data: &[u8]) -> Option<Format> {
    let mut walk = Walk::new(data);
    let mut code = walk.le16()?;
    let channels = walk.le16()?;
    let sample_rate = walk.le32()?;
    walk.skip(6)?;
    let bits = walk.le16()?;
    if code == 0xfffe {
        walk.skip(8)?;
        code = walk.le16()?;
    }
    Some(Format {
        code,
        channels,
        sample_rate,
        bits,
    })
}

fn track(format: Format, data: &[u8]) -> Option<Track<'_>> {
    let Format {
        code,
        channels,
        sample_rate,
        bits,
    } = format;
    if channels == 0 || sample_rate == 0 {
        return None;
    }
    let bytes = usize::from(bits.div_ceil(8));
    let codec = match code {
        1 if (1..=4).contains(&bytes) => Codec::Pcm(Layout { bytes, float: false }),
        3 if bytes == 4 => Codec::Pcm(Layout { bytes, float: true }),
        6 | 7 => Codec::Other("g711".to_owned()),
        _ => Codec::Other(format!("wave-{code}")),
    };
    let frame = bytes.max(1).saturating_mul(usize::from(channels));
    Some(Track {
        codec,
        channels,
        sample_rate,
        units: u64::try_from(data.len() / frame).ok()?,
        units_a_second: sample_rate,
        packets: vec![Packet::Whole(data)],
        skip: 0,
    })
}
