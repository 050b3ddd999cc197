//! What a PDF hides from a plain search: names with escapes, dictionaries in packed streams.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use crate::bytes::find;

/// As much of a file's packed streams is unpacked, and no more.
pub(super) const MOST: usize = 64 << 20;
/// As much of one stream.
const MOST_OF_ONE: usize = 8 << 20;

/// The same bytes with `#4a` for `J` in names undone; `None` when there is none.
pub(super) fn without_escapes(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut rest = bytes;
    let mut found = false;
    while let Some(at) = rest.iter().position(|byte| *byte == b'#') {
        let (before, from) = rest.split_at_checked(at)?;
        plain.extend_from_slice(before);
        if let [_, high, low, after @ ..] = from
            && let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
        {
            plain.push(u8::try_from(high * 16 + low).unwrap_or(b'#'));
            rest = after;
            found = true;
        } else {
            plain.push(b'#');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    plain.extend_from_slice(rest);
    found.then_some(plain)
}

/// The next packed stream's content, at most `most` of it, and what comes after its beginning.
/// `None` when there is no further one, or no more is to be unpacked.
pub(super) fn next_stream(bytes: &[u8], most: usize) -> Option<(Vec<u8>, &[u8])> {
    if most == 0 {
        return None;
    }
    let mut rest = bytes;
    loop {
        let at = find_stream(rest)?;
        let from = rest.get(at..)?;
        rest = from.get(6..)?;
        let packed = from
            .strip_prefix(b"stream\r\n")
            .or_else(|| from.strip_prefix(b"stream\n"));
        let Some(packed) = packed.filter(|packed| is_zlib(packed)) else {
            continue;
        };
        let mut unpacked = Vec::new();
        let limit = u64::try_from(most.min(MOST_OF_ONE)).unwrap_or(u64::MAX);
        // What cannot be unpacked to its end may still begin with something.
        let _ = ZlibDecoder::new(packed).take(limit).read_to_end(&mut unpacked);
        if !unpacked.is_empty() {
            return Some((unpacked, rest));
        }
    }
}

/// A zlib header (RFC 1950): whatever the stream's dictionary says of it, readers unpack by its table.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [method, flags, ..] if method & 0x0f == 8
        && u16::from_be_bytes([*method, *flags]).is_multiple_of(31))
}

/// Where a stream begins: `stream` that is not the end of `endstream`.
fn find_stream(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + find(bytes.get(from..)?, b"stream")?;
        if at < 3 || bytes.get(at - 3..at) != Some(b"end") {
            return Some(at);
        }
        from = at + 6;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_in_names_are_undone() {
        assert_eq!(
            without_escapes(b"/J#61vaScript #zz").as_deref(),
            Some(&b"/JavaScript #zz"[..])
        );
        assert_eq!(without_escapes(b"/JavaScript # 1"), None);
    }

    #[test]
    fn packed_streams_are_unpacked_one_after_the_other_and_not_without_end() {
        let pack = |bytes: &[u8]| {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let file = [
            b"1 0 obj <<>> stream\nplain\nendstream 2 0 obj <<>> stream\r\n",
            pack(b"first").as_slice(),
            b"\r\nendstream 3 0 obj <<>>stream\n",
            &pack(&vec![b'a'; 100_000]),
            b"\nendstream",
        ]
        .concat();
        let (first, rest) = next_stream(&file, MOST).unwrap();
        assert_eq!(first, b"first");
        let (second, rest) = next_stream(rest, 1000).unwrap();
        assert_eq!(second.len(), 1000);
        assert!(next_stream(rest, MOST).is_none() && next_stream(&file, 0).is_none());
    }

    proptest! {
        #[test]
        fn anything_is_answered(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'#'), Just(b's')], 0..300)) {
            let _ = without_escapes(&bytes);
            let _ = next_stream(&[b"stream\n\x78\x9c", bytes.as_slice()].concat(), 100);
        }
    }
}
