//! Pictures, by how they begin.

use super::{Kind, riff};

pub(super) fn sniff(head: &[u8]) -> Option<Kind> {
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some(Kind::Jpeg);
    }
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(Kind::Png);
    }
    if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        return Some(Kind::Gif);
    }
    (riff(head) == Some(*b"WEBP")).then_some(Kind::WebP)
}
