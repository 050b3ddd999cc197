//! The framing of RFC 2046, section 5.1, without any IO.

use actix_web::web::{Bytes, BytesMut};
use memchr::memmem::Finder;

/// The most that may stand before the first boundary, and in the headers of a part.
const MOST_BETWEEN: usize = 16 * 1024;

/// What comes next in a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Nothing until more has arrived.
    More,
    /// A part begins; its headers.
    Part(Bytes),
    /// A piece of the part.
    Data(Bytes),
    /// The part is over.
    Ended,
    /// The form is over.
    End,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Preamble,
    Boundary,
    Headers,
    Data,
    End,
}

pub(super) struct Parser {
    buffer: BytesMut,
    delimiter: Finder<'static>,
    at: At,
}

type Step = Result<Option<Event>, &'static str>;

impl Parser {
    pub(super) fn new(boundary: &str) -> Self {
        // The first boundary may stand at the very beginning: as if a line had ended before.
        let buffer = BytesMut::from(&b"\r\n"[..]);
        let delimiter = format!("\r\n--{boundary}");
        Self {
            buffer,
            delimiter: Finder::new(&delimiter).into_owned(),
            at: At::Preamble,
        }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The error says what is wrong with the form.
    pub(super) fn next(&mut self) -> Result<Event, &'static str> {
        loop {
            let step = match self.at {
                At::Preamble => self.preamble(),
                At::Boundary => self.boundary(),
                At::Headers => self.headers(),
                At::Data => Ok(Some(self.data())),
                At::End => Ok(Some(Event::End)),
            };
            if let Some(event) = step? {
                return Ok(event);
            }
        }
    }

    fn preamble(&mut self) -> Step {
        if let Some(found) = self.delimiter.find(&self.buffer) {
            self.take(found + self.delimiter.needle().len());
            self.at = At::Boundary;
            return Ok(None);
        }
        self.more("does not begin with its boundary")
    }

    /// Behind a boundary: two dashes end the form, a line end begins a part.
    fn boundary(&mut self) -> Step {
        let padding = self
            .buffer
            .iter()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        match self.buffer.get(padding..padding + 2) {
            Some(b"\r\n") => {
                // The line end belongs to the headers too: there may be none of them.
                self.take(padding);
                self.at = At::Headers;
                Ok(None)
            }
            Some(b"--") if padding == 0 => {
                self.at = At::End;
                Ok(None)
            }
            Some(_) => Err("has a damaged boundary"),
            None => self.more("has a damaged boundary"),
        }
    }

    fn headers(&mut self) -> Step {
        let end = memchr::memmem::find(&self.buffer, b"\r\n\r\n");
        match end {
            Some(end) if end <= MOST_BETWEEN => {
                let lines = self.take(end);
                self.take(4);
                // The line end before the first header.
                let lines = lines.slice(lines.len().min(2)..);
                self.at = At::Data;
                // An empty part has its boundary right behind the headers' last line end.
                Ok(Some(Event::Part(lines)))
            }
            _ => self.more("has a part whose headers are too long"),
        }
    }

    fn data(&mut self) -> Event {
        if let Some(found) = self.delimiter.find(&self.buffer) {
            if found > 0 {
                return Event::Data(self.take(found));
            }
            self.take(self.delimiter.needle().len());
            self.at = At::Boundary;
            return Event::Ended;
        }
        // The rest may be the beginning of a boundary.
        let sure = (self.buffer.len() + 1).saturating_sub(self.delimiter.needle().len());
        if sure > 0 {
            Event::Data(self.take(sure))
        } else {
            Event::More
        }
    }

    fn more(&self, problem: &'static str) -> Step {
        if self.buffer.len() > MOST_BETWEEN {
            Err(problem)
        } else {
            Ok(Some(Event::More))
        }
    }

    fn take(&mut self, length: usize) -> Bytes {
        self.buffer.split_to(length.min(self.buffer.len())).freeze()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds a form in pieces of `size` bytes; its parts, or what is wrong.
    fn parts(form: &[u8], size: usize) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut parser = Parser::new("XY");
        let mut pieces = form.chunks(size.max(1));
        let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
        loop {
            match parser.next().map_err(ToOwned::to_owned)? {
                Event::More => match pieces.next() {
                    Some(piece) => parser.feed(piece),
                    None => return Err("cut".to_owned()),
                },
                Event::Part(lines) => parts.push((String::from_utf8_lossy(&lines).into_owned(), Vec::new())),
                Event::Data(data) => parts.last_mut().unwrap().1.extend_from_slice(&data),
                Event::Ended => {}
                Event::End => return Ok(parts),
            }
        }
    }

    #[test]
    fn forms_are_taken_apart() {
        let form = b"--XY\r\nA: 1\r\nB: 2\r\n\r\none\r\n--X\r\n--XY \t\r\n\r\n\r\n--XY\r\nC: 3\r\n\r\n\r\n--XY--\r\nbye";
        for size in 1..form.len() {
            let expected = [
                ("A: 1\r\nB: 2".to_owned(), b"one\r\n--X".to_vec()),
                (String::new(), Vec::new()),
                ("C: 3".to_owned(), Vec::new()),
            ];
            assert_eq!(parts(form, size).unwrap(), expected, "{size}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert_eq!(parts(b"--XY\r\nA: 1\r\n\r\none", 5).unwrap_err(), "cut");
        assert_eq!(parts(b"--XYZ\r\n\r\n", 5).unwrap_err(), "has a damaged boundary");
        let long = [b"--XY\r\nA: ".to_vec(), vec![b'x'; 20_000]].concat();
        assert_eq!(
            parts(&long, 100).unwrap_err(),
            "has a part whose headers are too long"
        );
        assert_eq!(
            parts(&vec![b'x'; 20_000], 100).unwrap_err(),
            "does not begin with its boundary"
        );
    }

    proptest! {
        #[test]
        fn what_was_put_in_comes_out(bodies in prop::collection::vec(prop::collection::vec(prop::sample::select(&b"\r\n-XYab"[..]), 0..40), 0..5), size in 1usize..50) {
            prop_assume!(bodies.iter().all(|body| {
                memchr::memmem::find(&[b"\r\n", body.as_slice()].concat(), b"\r\n--XY").is_none()
            }));
            let mut form = Vec::new();
            for body in &bodies {
                form.extend_from_slice(b"--XY\r\nN: 1\r\n\r\n");
                form.extend_from_slice(body);
                form.extend_from_slice(b"\r\n");
            }
            form.extend_from_slice(b"--XY--");
            let read: Vec<Vec<u8>> = parts(&form, size).unwrap().into_iter().map(|part| part.1).collect();
            prop_assert_eq!(read, bodies);
        }

        #[test]
        fn rubbish_is_no_panic(form in prop::collection::vec(prop::sample::select(&b"\r\n-XYa: "[..]), 0..200), size in 1usize..50) {
            let _ = parts(&form, size);
        }
    }
}
