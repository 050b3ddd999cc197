//! Plain text: what a browser would take for nothing else.

use super::{HEAD, has};

/// What makes a reader of mark-up or a shell take a text for its own, in small letters.
const MARKUP: [&[u8]; 16] = [
    b"<!doctype",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<style",
    b"<iframe",
    b"<object",
    b"<embed",
    b"<svg",
    b"<math",
    b"<?xml",
    b"<?php",
    b"<xsl:",
    b"<%@",
    b"mime-version:",
];

/// Whether a file that begins so is a plain text, as far as can be seen.
pub(super) fn begins(head: &[u8]) -> bool {
    let mut check = TextCheck::new();
    !head.is_empty() && check.feed(head)
}

/// Follows a text through its parts, in order, and says when it is none.
#[derive(Clone, Debug, Default)]
pub struct TextCheck {
    /// The beginning of a character whose end is in the next part.
    cut: Vec<u8>,
    /// The last bytes in small letters, so that a word over two parts is found.
    tail: Vec<u8>,
    begun: bool,
    failed: bool,
}

impl TextCheck {
    /// Before the first part.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next part. `false` once and for all when it cannot be plain text: not UTF-8,
    /// control characters, a script's first line, or mark-up in its first 8 KiB.
    pub fn feed(&mut self, part: &[u8]) -> bool {
        self.failed = self.failed || !self.take(part);
        !self.failed
    }

    /// Whether all of it was plain text, now that it has ended.
    pub fn finish(self) -> bool {
        self.begun && !self.failed && self.cut.is_empty()
    }

    fn take(&mut self, part: &[u8]) -> bool {
        if part.is_empty() {
            return true;
        }
        if !self.begun {
            self.begun = true;
            let start = part
                .strip_prefix(b"\xef\xbb\xbf")
                .unwrap_or(part)
                .trim_ascii_start();
            let head = part.get(..HEAD).unwrap_or(part).to_ascii_lowercase();
            if start.starts_with(b"#!") || MARKUP.iter().any(|word| has(&head, word)) {
                return false;
            }
        } else if !self.no_script(part) {
            return false;
        }
        self.remember(part);
        let joined = [std::mem::take(&mut self.cut).as_slice(), part].concat();
        let (text, rest) = match std::str::from_utf8(&joined) {
            Ok(text) => (text, &[][..]),
            Err(error) if error.error_len().is_some() => return false,
            Err(error) => {
                let (valid, rest) = joined.split_at_checked(error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(valid).unwrap_or_default(), rest)
            }
        };
        self.cut = rest.to_vec();
        !text
            .chars()
            .any(|letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r' | '\x0c'))
    }

    /// Later parts may quote mark-up; what runs is not taken anywhere.
    fn no_script(&self, part: &[u8]) -> bool {
        let joined = [self.tail.as_slice(), part].concat().to_ascii_lowercase();
        !has(&joined, b"<script") && !has(&joined, b"<?php")
    }

    fn remember(&mut self, part: &[u8]) {
        self.tail
            .extend_from_slice(part.get(part.len().saturating_sub(8)..).unwrap_or(part));
        let surplus = self.tail.len().saturating_sub(8);
        self.tail.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_may_be_in_any_script_and_have_lines() {
        assert!(begins("قراءة\tالفنجان\r\n☕ é\n".as_bytes()));
        assert!(begins(b"1 < 2 and x<y"));
        assert!(begins("é".as_bytes().split_last().unwrap().1) && !begins(b""));
    }

    #[test]
    fn what_would_run_is_no_text() {
        for text in [
            "#!/bin/sh\nrm -rf /",
            "\u{feff} #!/usr/bin/env python3",
            "<!DOCTYPE html>",
            "hello <SCRIPT src=x>",
            "<svg onload=alert(1)>",
            "<?xml version=\"1.0\"?>",
            "a\0b",
            "\x1b[31m",
        ] {
            assert!(!begins(text.as_bytes()), "{text:?}");
        }
        assert!(!begins(b"caf\xe9 au lait"));
    }

    #[test]
    fn a_script_over_two_parts_is_found() {
        let mut check = TextCheck::new();
        assert!(check.feed(b"hello <scr"));
        assert!(!check.feed(b"ipt>alert(1)"));
        assert!(!check.finish());
    }

    proptest! {
        #[test]
        fn where_a_text_is_cut_makes_no_difference(text in "[a-zé☕ \n]{1,60}", at in 0..60_usize) {
            let bytes = text.as_bytes();
            let mut check = TextCheck::new();
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            prop_assert!(check.feed(first) && check.feed(second) && check.finish());
        }
    }
}
