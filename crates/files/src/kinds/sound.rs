//! Recordings and moving pictures, told by their containers.

use super::{Kind, has, riff};
use crate::audio::frame_length;
use crate::bytes::Walk;

/// Brands of MPEG-4 files that players play. `QuickTime`, HEIF and AVIF have others.
const BRANDS: [&[u8; 4]; 17] = [
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42",
    b"avc1", b"M4A ", b"M4B ", b"M4V ", b"dash", b"MSNV",
];

pub(super) fn sniff(head: &[u8]) -> Option<Kind> {
    if riff(head) == Some(*b"WAVE") {
        return Some(Kind::Wav);
    }
    if head.starts_with(b"OggS") {
        return ogg(head).then_some(Kind::Ogg);
    }
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        return webm(head);
    }
    mpeg4(head).or_else(|| mp3(head).then_some(Kind::Mp3))
}

/// The first page holds the beginning of Vorbis or Opus, and nothing else begins beside it.
fn ogg(head: &[u8]) -> bool {
    let mut walk = Walk::new(head);
    let sound = |walk: &mut Walk<'_>| {
        walk.skip(26)?;
        let segments = usize::from(walk.u8()?);
        walk.skip(segments)?;
        Some(walk.rest().starts_with(b"\x01vorbis") || walk.rest().starts_with(b"OpusHead"))
    };
    sound(&mut walk) == Some(true) && !has(head, b"\x80theora")
}

fn webm(head: &[u8]) -> Option<Kind> {
    let start = head.get(..64).unwrap_or(head);
    if !has(start, b"\x42\x82\x84webm") {
        return None;
    }
    let sound = has(head, b"A_OPUS") || has(head, b"A_VORBIS");
    let pictures = has(head, b"V_VP8") || has(head, b"V_VP9") || has(head, b"V_AV1");
    Some(if sound && !pictures {
        Kind::WebmAudio
    } else {
        Kind::Webm
    })
}

fn mpeg4(head: &[u8]) -> Option<Kind> {
    let mut walk = Walk::new(head);
    let length = walk.be32()?;
    if &walk.array()? != b"ftyp" || !(16..=1024).contains(&length) {
        return None;
    }
    let brand: [u8; 4] = walk.array()?;
    if !BRANDS.contains(&&brand) {
        return None;
    }
    let handler = |kind: &[u8; 4]| has(head, &[b"hdlr\0\0\0\0\0\0\0\0", kind.as_slice()].concat());
    let sound_only = matches!(&brand, b"M4A " | b"M4B ") || handler(b"soun");
    Some(if sound_only && !handler(b"vide") {
        Kind::M4a
    } else {
        Kind::Mp4
    })
}

/// A tag, or a frame with another one where it ends.
fn mp3(head: &[u8]) -> bool {
    if head.starts_with(b"ID3") {
        // Version 2.2 to 2.4, and a size of four times seven bits.
        return head.get(3).is_some_and(|version| (2..=4).contains(version))
            && head
                .get(6..10)
                .is_some_and(|size| size.iter().all(|byte| *byte < 0x80));
    }
    let Some(length) = frame_length(head) else {
        return false;
    };
    head.get(length..)
        .is_some_and(|next| frame_length(next).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mpeg4_with_sound_only_is_a_recording() {
        let file = |brand: &[u8], handlers: &[&[u8]]| {
            let mut bytes = [&[0, 0, 0, 16], &b"ftyp"[..], brand, b"\0\0\0\0"].concat();
            for handler in handlers {
                bytes.extend([b"hdlr\0\0\0\0\0\0\0\0", *handler].concat());
            }
            sniff(&bytes)
        };
        assert_eq!(file(b"M4A ", &[]), Some(Kind::M4a));
        assert_eq!(file(b"isom", &[b"soun"]), Some(Kind::M4a));
        assert_eq!(file(b"isom", &[b"vide", b"soun"]), Some(Kind::Mp4));
        assert_eq!(file(b"isom", &[]), Some(Kind::Mp4));
        assert_eq!(file(b"qt  ", &[b"soun"]), None);
    }

    #[test]
    fn two_bytes_of_a_frame_are_not_yet_mp3() {
        assert_eq!(sniff(b"\xff\xfb\x90\x64 and then something else"), None);
    }
}
