//! Lines of a bounded length, and the text of a mail.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::time::timeout;

use super::PATIENCE;

/// The longest command line. RFC 5321 asks for 512 and extensions add to it.
const LINE: u64 = 2048;

/// A command line.
pub(super) enum Line {
    /// Without its end.
    Text(String),
    /// It was too long or not UTF-8; the rest of it was read away.
    Bad,
    /// The client hung up.
    End,
}

/// What became of a mail's text.
pub(super) enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// It was more than may be; it was read to its end and is gone.
    TooLarge,
    /// The client hung up before the end.
    End,
}

/// Reads a command.
pub(super) async fn line<R: AsyncBufRead + Unpin>(from: &mut R) -> io::Result<Line> {
    let mut bytes = Vec::new();
    let mut bad = false;
    loop {
        bytes.clear();
        match chunk(from, &mut bytes).await? {
            0 => return Ok(Line::End),
            _ if bytes.ends_with(b"\n") => break,
            _ => bad = true,
        }
    }
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Line::Bad);
    };
    Ok(if bad {
        Line::Bad
    } else {
        Line::Text(text.trim_end_matches(['\r', '\n']).to_owned())
    })
}

/// Reads the text after `DATA`, with doubled dots made single, up to the line with a dot
/// alone. Lines end in CR LF and in nothing else: a bare LF before a dot is text, so that
/// nobody smuggles a second mail in.
pub(super) async fn body<R: AsyncBufRead + Unpin>(from: &mut R, limit: usize) -> io::Result<Body> {
    let mut text = Vec::new();
    let mut bytes = Vec::new();
    let (mut at_start, mut too_large) = (true, false);
    loop {
        bytes.clear();
        if chunk(from, &mut bytes).await? == 0 {
            return Ok(Body::End);
        }
        if at_start && bytes == b".\r\n" {
            break;
        }
        let line = bytes.strip_prefix(b".").filter(|_| at_start).unwrap_or(&bytes);
        if text.len() + line.len() > limit {
            too_large = true;
            text = Vec::new();
        }
        if !too_large {
            text.extend_from_slice(line);
        }
        at_start = bytes.ends_with(b"\r\n");
    }
    Ok(if too_large {
        Body::TooLarge
    } else {
        Body::Whole(text)
    })
}

/// A line with its end, or as much of it as fits.
async fn chunk<R: AsyncBufRead + Unpin>(from: &mut R, into: &mut Vec<u8>) -> io::Result<usize> {
    let mut bounded = from.take(LINE);
    match timeout(PATIENCE, bounded.read_until(b'\n', into)).await {
        Ok(read) => read,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn text(mut sent: &[u8]) -> Option<String> {
        match body(&mut sent, 100).await.unwrap() {
            Body::Whole(text) => Some(String::from_utf8(text).unwrap()),
            _ => None,
        }
    }

    #[tokio::test]
    async fn dots_are_taken_off_and_the_last_ends_it() {
        assert_eq!(
            text(b"a\r\n..b\r\n...\r\n.\r\nQUIT\r\n").await.unwrap(),
            "a\r\n.b\r\n..\r\n"
        );
        assert_eq!(text(b".\r\n").await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_dot_after_a_bare_line_feed_ends_nothing() {
        let sent = b"a\n.\r\nMAIL FROM:<eve@example.org>\r\n.\r\n";
        assert_eq!(
            text(sent).await.unwrap(),
            "a\n.\r\nMAIL FROM:<eve@example.org>\r\n"
        );
        let sent = b"a\r\n.\nb\r\n.\r\n";
        assert_eq!(text(sent).await.unwrap(), "a\r\n\nb\r\n");
    }

    #[tokio::test]
    async fn what_is_too_large_is_read_to_its_end() {
        let mut sent: &[u8] = &[[b'x'; 5000].as_slice(), b"\r\n.\r\nQUIT\r\n"].concat();
        assert!(matches!(body(&mut sent, 100).await.unwrap(), Body::TooLarge));
        assert_eq!(sent, b"QUIT\r\n");
    }

    #[tokio::test]
    async fn a_command_that_is_too_long_is_bad_and_the_next_is_not() {
        let mut sent: &[u8] = &[[b'x'; 5000].as_slice(), b"\r\nNOOP\r\n"].concat();
        assert!(matches!(line(&mut sent).await.unwrap(), Line::Bad));
        assert!(matches!(line(&mut sent).await.unwrap(), Line::Text(text) if text == "NOOP"));
        assert!(matches!(line(&mut sent).await.unwrap(), Line::End));
    }
}
