//! How the bytes of an object are sealed: in chunks, each with AES-256-GCM under the
//! object's own key. The nonce is the chunk's number and whether it is the last (the
//! STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár), so that chunks can be
//! opened one by one, and none be left out, moved or cut off.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;

/// Plain bytes in a chunk; the last one has less.
pub const CHUNK: usize = 64 * 1024;
/// What sealing adds to a chunk.
pub const TAG: usize = 16;

/// The key of one object was damaged, a chunk was, or there are too many of them.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the object is damaged")]
pub struct Damaged;

/// The key of one object. It never seals anything else.
pub struct ObjectKey([u8; 32]);

impl ObjectKey {
    /// A new key.
    pub fn new() -> Result<Self, Damaged> {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|_| Damaged)?;
        Ok(Self(key))
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Damaged> {
        bytes.try_into().map(Self).map_err(|_| Damaged)
    }

    /// Its bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn cipher(&self) -> Result<LessSafeKey, Damaged> {
        let key = UnboundKey::new(&AES_256_GCM, &self.0).map_err(|_| Damaged)?;
        Ok(LessSafeKey::new(key))
    }
}

fn nonce(number: u32, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    let tail = [number.to_be_bytes().as_slice(), &[u8::from(last)]].concat();
    for (to, from) in bytes.iter_mut().rev().zip(tail.iter().rev()) {
        *to = *from;
    }
    Nonce::assume_unique_for_key(bytes)
}

/// Seals bytes as they come.
pub struct Sealer {
    cipher: LessSafeKey,
    number: u32,
    /// The chunk that is being filled. A full one waits: it may be the last.
    chunk: Vec<u8>,
}

impl Sealer {
    /// Begins an object.
    pub fn new(key: &ObjectKey) -> Result<Self, Damaged> {
        Ok(Self {
            cipher: key.cipher()?,
            number: 0,
            chunk: Vec::with_capacity(CHUNK + TAG),
        })
    }

    /// Takes plain bytes and appends to `out` what is sealed by then.
    pub fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), Damaged> {
        while !plain.is_empty() {
            if self.chunk.len() == CHUNK {
                self.seal(false, out)?;
            }
            let (now, later) = plain.split_at(plain.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            plain = later;
        }
        Ok(())
    }

    /// Seals the last chunk.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Damaged> {
        self.seal(true, out)
    }

    fn seal(&mut self, last: bool, out: &mut Vec<u8>) -> Result<(), Damaged> {
        let nonce = nonce(self.number, last);
        self.cipher
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut self.chunk)
            .map_err(|_| Damaged)?;
        out.extend_from_slice(&self.chunk);
        self.chunk.clear();
        self.number = self.number.checked_add(1).ok_or(Damaged)?;
        Ok(())
    }
}

/// Opens chunks one after the other.
pub struct Opener {
    cipher: LessSafeKey,
    number: u32,
    last: u32,
}

impl Opener {
    /// Opens an object of `size` plain bytes from the chunk with this number on.
    pub fn new(key: &ObjectKey, size: u64, first: u64) -> Result<Self, Damaged> {
        Ok(Self {
            cipher: key.cipher()?,
            number: u32::try_from(first).map_err(|_| Damaged)?,
            last: u32::try_from(chunks(size) - 1).map_err(|_| Damaged)?,
        })
    }

    /// Opens the next chunk; its plain bytes are at the beginning of it.
    pub fn open<'c>(&mut self, chunk: &'c mut [u8]) -> Result<&'c mut [u8], Damaged> {
        let nonce = nonce(self.number, self.number == self.last);
        self.number = self.number.checked_add(1).ok_or(Damaged)?;
        self.cipher
            .open_in_place(nonce, Aad::empty(), chunk)
            .map_err(|_| Damaged)
    }
}

/// How many chunks `size` plain bytes have.
pub fn chunks(size: u64) -> u64 {
    size.div_ceil(CHUNK as u64).max(1)
}

/// How long the object of `size` plain bytes is.
pub fn sealed_size(size: u64) -> u64 {
    size + chunks(size) * TAG as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed(key: &ObjectKey, plain: &[u8], piece: usize) -> Vec<u8> {
        let mut sealer = Sealer::new(key).unwrap();
        let mut out = Vec::new();
        for piece in plain.chunks(piece) {
            sealer.push(piece, &mut out).unwrap();
        }
        sealer.finish(&mut out).unwrap();
        out
    }

    fn opened(key: &ObjectKey, size: u64, sealed: &[u8]) -> Result<Vec<u8>, Damaged> {
        let mut opener = Opener::new(key, size, 0)?;
        let mut plain = Vec::new();
        for chunk in sealed.chunks(CHUNK + TAG) {
            plain.extend_from_slice(opener.open(&mut chunk.to_vec())?);
        }
        Ok(plain)
    }

    #[test]
    fn what_was_sealed_opens_again_whatever_its_size() {
        let key = ObjectKey::new().unwrap();
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
            let plain: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let sealed = sealed(&key, &plain, 1000);
            assert_eq!(sealed.len() as u64, sealed_size(size as u64));
            assert_eq!(opened(&key, size as u64, &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn nothing_can_be_cut_off_moved_or_changed() {
        let key = ObjectKey::new().unwrap();
        let plain = vec![7; 2 * CHUNK + 5];
        let size = plain.len() as u64;
        let sealed = sealed(&key, &plain, CHUNK);
        let one = CHUNK + TAG;
        assert!(opened(&key, size - 5, &sealed[..2 * one]).is_err(), "cut off");
        let moved = [&sealed[one..2 * one], &sealed[..one], &sealed[2 * one..]].concat();
        assert!(opened(&key, size, &moved).is_err(), "moved");
        for place in [0, one, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(opened(&key, size, &changed).is_err(), "changed at {place}");
        }
        assert!(
            opened(&ObjectKey::new().unwrap(), size, &sealed).is_err(),
            "another key"
        );
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(size in 0usize..200_000, piece in 1usize..100_000) {
            let key = ObjectKey::from_bytes(&[3; 32]).unwrap();
            let plain = vec![9; size];
            prop_assert_eq!(sealed(&key, &plain, piece), sealed(&key, &plain, size.max(1)));
        }
    }
}
