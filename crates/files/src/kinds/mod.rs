//! The types of files that are taken, told by content.

mod image;
mod sound;
mod text;

use crate::bytes::{Walk, find};

pub use text::TextCheck;

/// How much of a file's beginning [`sniff`] should be given: less may miss a type, more changes nothing.
pub const HEAD: usize = 8 * 1024;

/// What a file is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// A picture.
    Image,
    /// A recording.
    Audio,
    /// A moving picture.
    Video,
    /// Something to read.
    Document,
}

impl Group {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Document => "document",
        }
    }
}

/// A type that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// GIF.
    Gif,
    /// WebP.
    WebP,
    /// MPEG audio layer III.
    Mp3,
    /// RIFF WAVE.
    Wav,
    /// Ogg with Vorbis or Opus in it.
    Ogg,
    /// MPEG-4 with sound only.
    M4a,
    /// MPEG-4.
    Mp4,
    /// `WebM` with sound only.
    WebmAudio,
    /// `WebM`.
    Webm,
    /// PDF.
    Pdf,
    /// Plain text in UTF-8.
    Text,
}

impl Kind {
    /// Every type.
    pub const ALL: [Self; 13] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::WebP,
        Self::Mp3,
        Self::Wav,
        Self::Ogg,
        Self::M4a,
        Self::Mp4,
        Self::WebmAudio,
        Self::Webm,
        Self::Pdf,
        Self::Text,
    ];

    /// The media type that it is served as.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Ogg => "audio/ogg",
            Self::M4a => "audio/mp4",
            Self::Mp4 => "video/mp4",
            Self::WebmAudio => "audio/webm",
            Self::Webm => "video/webm",
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain",
        }
    }

    /// The type of that name, as [`Kind::mime`] gives it.
    pub fn of_mime(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.mime() == mime)
    }

    /// What it is used as.
    pub const fn group(self) -> Group {
        match self {
            Self::Jpeg | Self::Png | Self::Gif | Self::WebP => Group::Image,
            Self::Mp3 | Self::Wav | Self::Ogg | Self::M4a | Self::WebmAudio => Group::Audio,
            Self::Mp4 | Self::Webm => Group::Video,
            Self::Pdf | Self::Text => Group::Document,
        }
    }

    /// The extension that its names end with when they have no better one.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Ogg => "ogg",
            Self::M4a => "m4a",
            Self::Mp4 => "mp4",
            Self::WebmAudio | Self::Webm => "webm",
            Self::Pdf => "pdf",
            Self::Text => "txt",
        }
    }

    /// Whether a file of this type may be called so: its extension is one of the type's, or none
    /// that belongs to any type. `photo` and `notes.2024` say nothing, `photo.jpg` does.
    pub fn fits_name(self, name: &str) -> bool {
        let Some((_, extension)) = name.rsplit_once('.') else {
            return true;
        };
        let extension = extension.to_ascii_lowercase();
        self.extensions().contains(&extension.as_str())
            || !Self::ALL
                .iter()
                .any(|kind| kind.extensions().contains(&extension.as_str()))
    }

    /// Whether a file of this type may be declared so: as one of the type's names, as nothing in
    /// particular, or as something that is no type of ours. Parameters (`; codecs=…`) are left out.
    pub fn fits_mime(self, declared: &str) -> bool {
        let declared = declared
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        self.mimes().contains(&declared.as_str())
            || !Self::ALL
                .iter()
                .any(|kind| kind.mimes().contains(&declared.as_str()))
    }

    const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Png => &["png"],
            Self::Gif => &["gif"],
            Self::WebP => &["webp"],
            Self::Mp3 => &["mp3"],
            Self::Wav => &["wav", "wave"],
            Self::Ogg => &["ogg", "oga", "opus"],
            // Recorders call sound alone either way.
            Self::M4a | Self::Mp4 => &["m4a", "m4b", "mp4", "m4v"],
            Self::WebmAudio | Self::Webm => &["webm", "weba"],
            Self::Pdf => &["pdf"],
            Self::Text => &["txt", "text", "log", "md", "csv"],
        }
    }

    const fn mimes(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["image/jpeg", "image/jpg", "image/pjpeg"],
            Self::Png => &["image/png", "image/x-png", "image/apng"],
            Self::Gif => &["image/gif"],
            Self::WebP => &["image/webp"],
            Self::Mp3 => &["audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/mpeg3"],
            Self::Wav => &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"],
            Self::Ogg => &["audio/ogg", "application/ogg", "audio/opus", "audio/vorbis"],
            Self::M4a | Self::Mp4 => &["audio/mp4", "video/mp4", "audio/m4a", "audio/x-m4a", "audio/aac"],
            Self::WebmAudio | Self::Webm => &["audio/webm", "video/webm"],
            Self::Pdf => &["application/pdf", "application/x-pdf"],
            Self::Text => &["text/plain", "text/markdown", "text/csv"],
        }
    }
}

/// The type of the file that begins so; `None` for everything that is not taken. Give it [`HEAD`]
/// bytes, or the whole of a shorter file.
///
/// A text is only taken by its beginning here: the rest has to pass a [`TextCheck`].
pub fn sniff(head: &[u8]) -> Option<Kind> {
    image::sniff(head).or_else(|| sound::sniff(head)).or_else(|| {
        if head.starts_with(b"%PDF-") {
            return Some(Kind::Pdf);
        }
        text::begins(head).then_some(Kind::Text)
    })
}

/// What a RIFF file says that it holds.
fn riff(head: &[u8]) -> Option<[u8; 4]> {
    let mut walk = Walk::new(head);
    if &walk.array()? != b"RIFF" {
        return None;
    }
    walk.skip(4)?;
    walk.array()
}

fn has(bytes: &[u8], needle: &[u8]) -> bool {
    find(bytes, needle).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pictures_and_documents_are_told_by_their_first_bytes() {
        assert_eq!(sniff(b"\xff\xd8\xff\xe0\0\x10JFIF"), Some(Kind::Jpeg));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some(Kind::Png));
        assert_eq!(sniff(b"GIF89a\x01\0\x01\0"), Some(Kind::Gif));
        assert_eq!(sniff(b"RIFF\x10\0\0\0WEBPVP8 "), Some(Kind::WebP));
        assert_eq!(sniff(b"%PDF-1.7\n"), Some(Kind::Pdf));
    }

    #[test]
    fn what_is_not_taken_has_no_type() {
        for head in [
            &b"PK\x03\x04\x14\0\0\0"[..],
            b"MZ\x90\0",
            b"\x7fELF",
            b"RIFF\x10\0\0\0AVI LIST",
            b"\0\0\0\x18ftypheic\0\0\0\0mif1",
            b"OggS\0\x02theora",
            b"",
        ] {
            assert_eq!(sniff(head), None, "{head:?}");
        }
    }

    #[test]
    fn a_name_or_a_declared_type_of_another_kind_does_not_fit() {
        assert!(
            Kind::Jpeg.fits_name("photo.JPEG")
                && Kind::Jpeg.fits_name("photo")
                && Kind::Text.fits_name("v1.2")
        );
        assert!(!Kind::Png.fits_name("photo.jpg"));
        assert!(Kind::WebmAudio.fits_mime("video/webm; codecs=opus"));
        assert!(Kind::Pdf.fits_mime("application/octet-stream"));
        assert!(!Kind::Png.fits_mime("image/jpeg"));
    }

    #[test]
    fn every_type_is_found_again_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_mime(kind.mime()), Some(kind));
            assert!(kind.fits_mime(kind.mime()) && kind.fits_name(&format!("a.{}", kind.extension())));
        }
    }

    proptest! {
        #[test]
        fn anything_at_all_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let _ = sniff(&bytes);
        }

        #[test]
        fn anything_behind_a_known_beginning_is_answered(
            at in 0..7_usize, bytes in proptest::collection::vec(any::<u8>(), 0..512),
        ) {
            let heads: [&[u8]; 7] = [b"ID3\x04", b"\xff\xfb\x90", b"OggS\0", b"\0\0\0\x18ftypisom", b"\x1a\x45\xdf\xa3", b"RIFF", b""];
            let _ = sniff(&[heads[at], &bytes].concat());
        }
    }
}
