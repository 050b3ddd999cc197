use parlour_files::audio::{POINTS, probe};
use parlour_files::kinds::{Kind, sniff};
use proptest::prelude::*;

use crate::support::every_kind;

#[test]
fn every_type_is_what_its_content_is() {
    for (kind, bytes) in every_kind() {
        assert_eq!(
            sniff(&bytes[..bytes.len().min(parlour_files::kinds::HEAD)]),
            Some(kind)
        );
    }
}

/// The fixtures grow louder from silence over two seconds.
#[test]
fn recordings_tell_how_long_they_are_and_what_they_look_like() {
    for (name, kind, bytes, codec, channels) in [
        (
            "mp3",
            Kind::Mp3,
            &include_bytes!("../fixtures/tone.mp3")[..],
            "mp3",
            1,
        ),
        ("wav", Kind::Wav, include_bytes!("../fixtures/tone.wav"), "pcm", 1),
        (
            "opus",
            Kind::Ogg,
            include_bytes!("../fixtures/opus.ogg"),
            "opus",
            1,
        ),
        ("m4a", Kind::M4a, include_bytes!("../fixtures/tone.m4a"), "aac", 1),
        (
            "fragments",
            Kind::M4a,
            include_bytes!("../fixtures/fragmented.mp4"),
            "aac",
            2,
        ),
        (
            "webm",
            Kind::WebmAudio,
            include_bytes!("../fixtures/tone.webm"),
            "opus",
            1,
        ),
        (
            "live webm",
            Kind::WebmAudio,
            include_bytes!("../fixtures/live.webm"),
            "opus",
            1,
        ),
    ] {
        let facts = probe(kind, bytes).unwrap();
        assert_eq!(
            (facts.codec.as_str(), facts.channels),
            (codec, channels),
            "{name}"
        );
        assert!(
            (1_950..2_120).contains(&facts.duration_ms),
            "{name}: {} ms",
            facts.duration_ms
        );
        let points = facts.waveform.expect(name);
        assert_eq!(points.len(), POINTS, "{name}");
        assert!(
            points[3] < 40 && (90..165).contains(&points[48]) && points[90] > 190,
            "{name}: {points:?}"
        );
        assert_eq!(points.iter().max(), Some(&255), "{name}");
    }
}

#[test]
fn without_a_decoder_there_is_no_waveform_but_a_duration() {
    let facts = probe(Kind::Ogg, include_bytes!("../fixtures/vorbis.ogg")).unwrap();
    assert_eq!(
        (facts.codec.as_str(), facts.channels, facts.sample_rate),
        ("vorbis", 1, 16_000)
    );
    assert!((1_950..2_050).contains(&facts.duration_ms) && facts.waveform.is_none());
}

#[test]
fn moving_pictures_have_a_duration_and_the_codec_of_their_sound() {
    let mp4 = probe(Kind::Mp4, include_bytes!("../fixtures/video.mp4")).unwrap();
    assert_eq!((mp4.codec.as_str(), mp4.waveform.is_none()), ("aac", true));
    assert!((950..1_080).contains(&mp4.duration_ms));
    let webm = probe(Kind::Webm, include_bytes!("../fixtures/video.webm")).unwrap();
    assert_eq!((webm.codec.as_str(), webm.waveform.is_none()), ("opus", true));
    assert!((950..1_080).contains(&webm.duration_ms));
}

#[test]
fn what_is_no_recording_has_no_facts() {
    assert_eq!(
        probe(Kind::Mp3, b"ID3\x04\0\0\0\0\0\x02ab not a frame in sight"),
        None
    );
    assert_eq!(probe(Kind::Wav, b"RIFF\x10\0\0\0WAVEfmt "), None);
    assert_eq!(probe(Kind::Jpeg, b"\xff\xd8\xff"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn mutated_recordings_are_answered(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..16),
        near in 1..4096_usize,
    ) {
        let files: Vec<_> = every_kind().into_iter().filter(|(kind, _)| probe_able(*kind)).collect();
        let (kind, mut bytes) = files[which.index(files.len())].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len().min(near));
            bytes[at] = value;
        }
        if let Some(points) = probe(kind, &bytes).and_then(|facts| facts.waveform) {
            prop_assert!(points.len() == POINTS);
        }
    }
}

fn probe_able(kind: Kind) -> bool {
    matches!(
        kind.group(),
        parlour_files::kinds::Group::Audio | parlour_files::kinds::Group::Video
    )
}
