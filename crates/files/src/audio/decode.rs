//! From packets to a waveform.

use nanomp3::{Decoder as Mp3Decoder, MAX_SAMPLES_PER_FRAME};
use opus_decoder::OpusDecoder;
use oxideav_aac::asc::AudioSpecificConfig;
use oxideav_aac::decode::StreamDecoder;

use super::{Codec, Packet, Track, Waveform};

/// The longest Opus packet: 120 ms of 48 kHz (RFC 6716, section 3.2).
const OPUS_MOST: usize = 5760;

/// Draws a track; `None` where nothing here decodes it.
pub(super) fn waveform(track: &Track<'_>) -> Option<Vec<u8>> {
    match &track.codec {
        Codec::Pcm(layout) => {
            let mut waveform = Waveform::new(track.sample_rate, 0);
            for packet in &track.packets {
                waveform.feed(layout.samples(packet.bytes()), usize::from(track.channels));
            }
            waveform.finish()
        }
        Codec::Mp3 => mp3(track),
        Codec::Opus => opus(track),
        Codec::Aac(configuration) => aac(track, configuration),
        Codec::Vorbis | Codec::Other(_) => None,
    }
}

fn mp3(track: &Track<'_>) -> Option<Vec<u8>> {
    let mut waveform = Waveform::new(track.sample_rate, 0);
    let mut decoder = Mp3Decoder::new();
    let mut samples = vec![0.0_f32; MAX_SAMPLES_PER_FRAME];
    for packet in &track.packets {
        if let (_, Ok(info)) = decoder.decode(packet.bytes(), &mut samples) {
            let channels = usize::from(info.channels.num());
            let made = info.samples_produced.saturating_mul(channels);
            waveform.feed(samples.get(..made)?.iter().copied(), channels);
        }
    }
    waveform.finish()
}

fn opus(track: &Track<'_>) -> Option<Vec<u8>> {
    // Whatever it has, it sounds as loud in mono.
    let mut decoder = OpusDecoder::new(48_000, 1).ok()?;
    let mut samples = vec![0.0_f32; OPUS_MOST];
    let mut waveform = Waveform::new(48_000, track.skip);
    for packet in track
        .packets
        .iter()
        .map(Packet::bytes)
        .filter(|packet| !packet.is_empty())
    {
        if let Ok(made) = decoder.decode_float(packet, &mut samples, false) {
            waveform.feed(samples.get(..made)?.iter().copied(), 1);
        }
    }
    waveform.finish()
}

fn aac(track: &Track<'_>, configuration: &[u8]) -> Option<Vec<u8>> {
    let (config, _) = AudioSpecificConfig::parse(configuration).ok()?;
    let mut decoder = StreamDecoder::new();
    let mut waveform = Waveform::new(config.sample_rate, 0);
    for packet in &track.packets {
        let frame = decoder.decode_raw_data_block(
            config.aot,
            config.sampling_frequency_index,
            config.sample_rate,
            config.channel_configuration,
            1,
            packet.bytes(),
        );
        if let Ok(frame) = frame {
            waveform.feed(
                frame.pcm.iter().map(|sample| f32::from(*sample) / 32_768.0),
                frame.channels,
            );
        }
    }
    waveform.finish()
}

/// Channels and samples a second of AAC, by its configuration.
pub(super) fn aac_layout(configuration: &[u8]) -> Option<(u16, u32)> {
    let (config, _) = AudioSpecificConfig::parse(configuration).ok()?;
    let channels = if config.ps_present {
        2
    } else {
        u16::try_from(config.channel_count()).ok()?
    };
    let rate = config.extension_sample_rate.unwrap_or(config.sample_rate);
    (channels > 0).then_some((channels, rate))
}

/// How many samples of 48 kHz an Opus packet holds, by its first bytes (RFC 6716, section 3.1).
pub(super) fn opus_samples(packet: &[u8]) -> Option<u32> {
    let first = *packet.first()?;
    let frame = match first >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880].get(usize::from(config & 3)).copied()?,
        config @ 12..=15 => [480, 960].get(usize::from(config & 1)).copied()?,
        config => [120, 240, 480, 960].get(usize::from(config & 3)).copied()?,
    };
    let count = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3f),
    };
    Some((frame * count).min(5760))
}
