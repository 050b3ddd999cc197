//! Field encryption with key ids, and keyed blind indexes.
//!
//! A sealed value is `version (1 byte) · key id length (1) · key id · nonce (12) ·
//! ciphertext and tag`, AES-256-GCM (NIST SP 800-38D). What the value is for (its
//! table, column and row) is authenticated with it, so that a sealed value cannot
//! be moved to another place. Keys rotate by adding one and naming it active: old
//! values open with the key whose id they carry.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

const VERSION: u8 = 1;

/// The keys (`[vault]`), base64 of 32 bytes each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The id of the key that seals new values.
    pub active: String,
    /// Every key that may still be needed to open old values, by id.
    pub keys: BTreeMap<String, SecretString>,
    /// The key of the blind indexes. It cannot be rotated without computing every index anew.
    pub index_key: SecretString,
}

/// Why a value could not be sealed or opened, or a key not be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VaultError {
    /// A key in the configuration is not base64 of 32 bytes.
    #[error("vault key {0:?} must be base64 of 32 bytes")]
    BadKey(String),
    /// The active key is not among the keys.
    #[error("vault.active names key {0:?}, which vault.keys does not have")]
    NoActiveKey(String),
    /// The value was sealed with a key that is not configured.
    #[error("the value was sealed with key {0:?}, which is not configured")]
    UnknownKey(String),
    /// The value was changed, is for another place, or was never sealed.
    #[error("the sealed value is damaged or out of place")]
    Damaged,
    /// The system gave no randomness.
    #[error("no randomness")]
    NoRandomness,
}

/// Seals and opens fields. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Keys>);

struct Keys {
    active: String,
    ring: BTreeMap<String, LessSafeKey>,
    index: hmac::Key,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("active", &self.0.active)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Reads the keys.
    pub fn new(settings: &Settings) -> Result<Self, VaultError> {
        let mut keys = BTreeMap::new();
        for (id, secret) in &settings.keys {
            let key = UnboundKey::new(&AES_256_GCM, &decode_key(id, secret)?)
                .map_err(|_| VaultError::BadKey(id.clone()))?;
            keys.insert(id.clone(), LessSafeKey::new(key));
        }
        if !keys.contains_key(&settings.active) {
            return Err(VaultError::NoActiveKey(settings.active.clone()));
        }
        let index = decode_key("index_key", &settings.index_key)?;
        Ok(Self(Arc::new(Keys {
            active: settings.active.clone(),
            ring: keys,
            index: hmac::Key::new(hmac::HMAC_SHA256, &index),
        })))
    }

    /// Seals `plain` for `place`, such as `accounts.email:<id>`.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let keys = &*self.0;
        let id = keys.active.as_bytes();
        let key = keys
            .ring
            .get(&keys.active)
            .ok_or_else(|| VaultError::NoActiveKey(keys.active.clone()))?;
        let length = u8::try_from(id.len()).map_err(|_| VaultError::BadKey(keys.active.clone()))?;
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let mut body = plain.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut body,
        )
        .map_err(|_| VaultError::Damaged)?;
        let mut sealed = vec![VERSION, length];
        sealed.extend_from_slice(id);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what [`Vault::seal`] sealed for the same place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (id, nonce, body) = split(sealed).ok_or(VaultError::Damaged)?;
        let key = self
            .0
            .ring
            .get(id)
            .ok_or_else(|| VaultError::UnknownKey(id.to_owned()))?;
        let mut body = body.to_vec();
        let length = key
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut body,
            )
            .map_err(|_| VaultError::Damaged)?
            .len();
        // The tag stays behind the plain text.
        body.truncate(length);
        Ok(body)
    }

    /// Seals text.
    pub fn seal_text(&self, place: &str, plain: &str) -> Result<Vec<u8>, VaultError> {
        self.seal(place, plain.as_bytes())
    }

    /// Opens sealed text.
    pub fn open_text(&self, place: &str, sealed: &[u8]) -> Result<String, VaultError> {
        String::from_utf8(self.open(place, sealed)?).map_err(|_| VaultError::Damaged)
    }

    /// A keyed fingerprint to look `value` up by without storing it: HMAC-SHA-256
    /// over the field's name and the value. Normalise the value first.
    pub fn blind_index(&self, field: &str, value: &str) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.0.index);
        context.update(field.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        context.sign().as_ref().to_vec()
    }
}

fn decode_key(id: &str, secret: &SecretString) -> Result<Vec<u8>, VaultError> {
    STANDARD
        .decode(secret.expose_secret())
        .ok()
        .filter(|key| key.len() == 32)
        .ok_or_else(|| VaultError::BadKey(id.to_owned()))
}

fn split(sealed: &[u8]) -> Option<(&str, [u8; NONCE_LEN], &[u8])> {
    let (&[version, length], rest) = sealed.split_first_chunk::<2>()?;
    if version != VERSION {
        return None;
    }
    let (id, rest) = rest.split_at_checked(usize::from(length))?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
    Some((std::str::from_utf8(id).ok()?, *nonce, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(active: &str) -> Settings {
        let key = |byte: u8| SecretString::from(STANDARD.encode([byte; 32]));
        Settings {
            active: active.to_owned(),
            keys: [("a".to_owned(), key(1)), ("b".to_owned(), key(2))].into(),
            index_key: key(3),
        }
    }

    fn vault(active: &str) -> Vault {
        Vault::new(&settings(active)).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_again_also_after_a_rotation() {
        let sealed = vault("a").seal_text("t.c:1", "سلام 🌙").unwrap();
        assert_eq!(vault("b").open_text("t.c:1", &sealed).unwrap(), "سلام 🌙");
        assert_ne!(sealed, vault("a").seal_text("t.c:1", "سلام 🌙").unwrap());
    }

    #[test]
    fn a_value_does_not_open_elsewhere_or_changed() {
        let vault = vault("a");
        let sealed = vault.seal("t.c:1", b"x").unwrap();
        assert_eq!(vault.open("t.c:2", &sealed), Err(VaultError::Damaged));
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 0x40;
            assert!(vault.open("t.c:1", &changed).is_err(), "byte {position}");
            assert!(vault.open("t.c:1", &sealed[..position]).is_err());
        }
    }

    #[test]
    fn an_index_depends_on_field_value_and_key() {
        let one = vault("a");
        assert_eq!(
            one.blind_index("email", "x"),
            vault("b").blind_index("email", "x")
        );
        assert_ne!(one.blind_index("email", "x"), one.blind_index("phone", "x"));
        let mut other = settings("a");
        other.index_key = SecretString::from(STANDARD.encode([9; 32]));
        let other = Vault::new(&other).unwrap();
        assert_ne!(one.blind_index("email", "x"), other.blind_index("email", "x"));
    }

    #[test]
    fn bad_keys_are_named() {
        let mut bad = settings("c");
        assert_eq!(Vault::new(&bad).unwrap_err(), VaultError::NoActiveKey("c".into()));
        bad.keys.insert("c".into(), SecretString::from("short"));
        assert_eq!(Vault::new(&bad).unwrap_err(), VaultError::BadKey("c".into()));
        assert!(!format!("{bad:?}").contains("short"));
    }
}
