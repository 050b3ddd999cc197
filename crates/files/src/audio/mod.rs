//! Recordings: how long, in what, and what they look like.
//!
//! Containers are read here; packets are decoded for the waveform alone, and only of recordings
//! that are short enough to be voice notes.

mod decode;
mod mp3;
mod mp4;
mod mp4_fragments;
mod ogg;
mod wav;
mod waveform;
mod webm;

pub(crate) use mp3::frame_length;

use crate::kinds::{Group, Kind};
use waveform::Waveform;

/// Points of a waveform.
pub const POINTS: usize = 100;
/// No more packets of a recording are kept: nearly six hours of 20 ms.
const MOST_PACKETS: usize = 1 << 20;
/// The longest recording whose waveform is drawn.
pub const LONGEST_DRAWN_MS: u64 = 15 * 60 * 1000;

/// What is known of a recording, or of the sound of a moving picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioFacts {
    /// How long it plays.
    pub duration_ms: u64,
    /// `mp3`, `pcm`, `float`, `vorbis`, `opus`, `aac` …; empty for a moving picture without sound.
    pub codec: String,
    /// 1 is mono; 0 when there is no sound.
    pub channels: u16,
    /// Samples a second; 0 when it is not said.
    pub sample_rate: u32,
    /// [`POINTS`] values from 0 to 255, the loudest part being 255. `None` where it is not drawn:
    /// moving pictures, long recordings, and codecs without a decoder here.
    pub waveform: Option<Vec<u8>>,
}

/// Reads a recording. `None` when it is none, or none of it can be understood.
pub fn probe(kind: Kind, bytes: &[u8]) -> Option<AudioFacts> {
    let track = match kind {
        Kind::Mp3 => mp3::read(bytes),
        Kind::Wav => wav::read(bytes),
        Kind::Ogg => ogg::read(bytes),
        Kind::M4a | Kind::Mp4 => mp4::read(bytes),
        Kind::WebmAudio | Kind::Webm => webm::read(bytes),
        _ => None,
    }?;
    let drawn = kind.group() == Group::Audio && track.duration_ms() <= LONGEST_DRAWN_MS;
    let waveform = if drawn { decode::waveform(&track) } else { None };
    Some(AudioFacts {
        duration_ms: track.duration_ms(),
        codec: track.codec.name().to_owned(),
        channels: track.channels,
        sample_rate: track.sample_rate,
        waveform,
    })
}

/// A recording taken out of its container.
pub(crate) struct Track<'a> {
    codec: Codec,
    channels: u16,
    sample_rate: u32,
    /// Duration as units and units a second.
    units: u64,
    units_a_second: u32,
    packets: Vec<Packet<'a>>,
    /// Samples to leave out at the beginning, as the encoder filled them in.
    skip: usize,
}

impl Track<'_> {
    fn duration_ms(&self) -> u64 {
        let product = u128::from(self.units) * 1000;
        u64::try_from(product / u128::from(self.units_a_second.max(1))).unwrap_or(u64::MAX)
    }
}

/// Part of the coded sound: a packet, or the pieces of one.
pub(crate) enum Packet<'a> {
    Whole(&'a [u8]),
    Joined(Vec<u8>),
}

impl Packet<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Joined(bytes) => bytes,
        }
    }
}

/// How the sound is coded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Mp3,
    Pcm(wav::Layout),
    Opus,
    Vorbis,
    /// With its configuration (ISO 14496-3, `AudioSpecificConfig`).
    Aac(Vec<u8>),
    Other(String),
}

impl Codec {
    fn name(&self) -> &str {
        match self {
            Self::Mp3 => "mp3",
            Self::Pcm(layout) => layout.name(),
            Self::Opus => "opus",
            Self::Vorbis => "vorbis",
            Self::Aac(_) => "aac",
            Self::Other(name) => name,
        }
    }
}
