//! Chunked bodies, read strictly (RFC 9112, section 7.1).

use bytes::{Buf as _, Bytes, BytesMut};

/// The longest line of a size with its extensions, and all trailers together.
const MOST_OF_LINES: usize = 8 * 1024;

/// An answer that is not HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service answered something that is not HTTP")]
pub(crate) struct Garbage;

/// What came of reading on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Data(Bytes),
    /// More has to arrive first.
    More,
    End,
}

/// Where in a chunked body we are.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    state: State,
    trailers: usize,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Size,
    Data(u64),
    AfterData,
    Trailers,
    End,
}

impl Chunked {
    /// Takes the next piece of data off `buffer`.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Piece, Garbage> {
        loop {
            match self.state {
                State::Size => {
                    let Some(line) = line(buffer)? else {
                        return Ok(Piece::More);
                    };
                    self.state = match size(&line)? {
                        0 => State::Trailers,
                        size => State::Data(size),
                    };
                }
                State::Data(left) => {
                    if buffer.is_empty() {
                        return Ok(Piece::More);
                    }
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                    let left = left - here as u64;
                    self.state = if left == 0 {
                        State::AfterData
                    } else {
                        State::Data(left)
                    };
                    return Ok(Piece::Data(buffer.split_to(here).freeze()));
                }
                State::AfterData => match buffer.get(..2) {
                    None => return Ok(Piece::More),
                    Some(b"\r\n") => {
                        buffer.advance(2);
                        self.state = State::Size;
                    }
                    Some(_) => return Err(Garbage),
                },
                State::Trailers => {
                    let Some(line) = line(buffer)? else {
                        return Ok(Piece::More);
                    };
                    self.trailers += line.len();
                    if line.is_empty() {
                        self.state = State::End;
                    } else if self.trailers > MOST_OF_LINES {
                        return Err(Garbage);
                    }
                }
                State::End => return Ok(Piece::End),
            }
        }
    }
}

/// The next line without its end.
fn line(buffer: &mut BytesMut) -> Result<Option<BytesMut>, Garbage> {
    let Some(end) = buffer.iter().take(MOST_OF_LINES).position(|byte| *byte == b'\n') else {
        return if buffer.len() < MOST_OF_LINES {
            Ok(None)
        } else {
            Err(Garbage)
        };
    };
    let mut line = buffer.split_to(end + 1);
    match line.strip_suffix(b"\r\n").map(<[u8]>::len) {
        Some(length) => {
            line.truncate(length);
            Ok(Some(line))
        }
        None => Err(Garbage),
    }
}

fn size(line: &[u8]) -> Result<u64, Garbage> {
    let digits = line
        .split(|byte| matches!(byte, b';' | b' ' | b'\t'))
        .next()
        .unwrap_or_default();
    let plain = (1..=15).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits)
        .ok()
        .filter(|_| plain)
        .ok_or(Garbage)?;
    u64::from_str_radix(text, 16).map_err(|_| Garbage)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(stream: &[u8], step: usize) -> Result<(Vec<u8>, bool, usize), Garbage> {
        let (mut chunked, mut buffer, mut body) = (Chunked::default(), BytesMut::new(), Vec::new());
        for part in stream.chunks(step.max(1)) {
            buffer.extend_from_slice(part);
            loop {
                match chunked.next(&mut buffer)? {
                    Piece::Data(data) => body.extend_from_slice(&data),
                    Piece::More => break,
                    Piece::End => return Ok((body, true, buffer.len())),
                }
            }
        }
        Ok((body, false, buffer.len()))
    }

    #[test]
    fn extensions_and_trailers_are_read_over() {
        let stream = b"4;a=b\r\nWiki\r\n5 \r\npedia\r\n0\r\nX: y\r\n\r\n";
        assert_eq!(read(stream, 1).unwrap(), (b"Wikipedia".to_vec(), true, 0));
    }

    #[test]
    fn what_is_not_chunked_is_refused() {
        for wrong in [
            &b"zz\r\n"[..],
            b"4\nWiki\r\n",
            b"4\r\nWikiXX0\r\n\r\n",
            b"-4\r\nWiki\r\n",
            b"+4\r\n",
            b"\r\n",
            b"0x4\r\n",
            b"ffffffffffffffff\r\n",
        ] {
            assert_eq!(read(wrong, 64), Err(Garbage), "{wrong:?}");
        }
        assert_eq!(read(&[b'a'; 10_000], 100), Err(Garbage));
    }

    proptest! {
        #[test]
        fn however_it_is_cut_it_reads_the_same(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 0..8),
            step in 1_usize..64,
        ) {
            let mut stream = Vec::new();
            for chunk in &chunks {
                stream.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                stream.extend_from_slice(chunk);
                stream.extend_from_slice(b"\r\n");
            }
            stream.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(read(&stream, step).unwrap(), (chunks.concat(), true, 0));
            let cut = stream.len() - 1;
            prop_assert!(!read(&stream[..cut], step).unwrap().1);
        }

        #[test]
        fn rubbish_never_panics(rubbish in prop::collection::vec(any::<u8>(), 0..300), step in 1_usize..50) {
            let _ = read(&rubbish, step);
        }
    }
}
