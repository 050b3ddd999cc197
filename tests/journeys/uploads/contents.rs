//! What is uploaded: many contents, each by several people and more than once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How often the same content is sent.
const TIMES: usize = 3;

/// The content of the `n`th of `all` uploads, and a name for it.
pub(super) fn content(n: usize, all: usize) -> (&'static str, Vec<u8>) {
    let which = n % (all / TIMES).max(1);
    match which % 20 {
        1 => ("dot.png", dot()),
        2 => (
            "tone.wav",
            include_bytes!("../../../crates/files/tests/fixtures/tone.wav").to_vec(),
        ),
        // More than one part of an object, and more than one chunk.
        3 => ("long.txt", text(which, 3 << 20)),
        4..=6 => ("longer.txt", text(which, 200_000 + which)),
        _ => ("short.txt", text(which, 100 + 37 * which)),
    }
}

/// A text of so many bytes that no other has the beginning of.
fn text(which: usize, size: usize) -> Vec<u8> {
    let lines = (0..).flat_map(|line: usize| format!("{which} {line}\n").into_bytes());
    lines.take(size).collect()
}

/// A picture of one pixel.
pub(crate) fn dot() -> Vec<u8> {
    let png =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    STANDARD.decode(png).unwrap()
}
