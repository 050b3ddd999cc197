//! Links that open one thing for a while: what they point to checks the signature and
//! nothing else. Chat makes them, media opens them; both hold the platform's internal key.
//!
//! A link's token is `base64url(expiry (8 bytes, seconds since 1970) · id (16) · tag (16))`,
//! the tag being the first half of HMAC-SHA-256 over the purpose, the expiry and the id
//! (truncated as RFC 2104, section 5 allows).

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::InternalKey;

const PURPOSE: &[u8] = b"parlour link v1\0";
const SIGNED: usize = 24;
const TAG: usize = 16;

impl InternalKey {
    /// A token for a URL that opens `id` until `until`, to the second.
    pub fn sign_link(&self, id: Uuid, until: DateTime<Utc>) -> String {
        let mut token = until.timestamp().to_be_bytes().to_vec();
        token.extend_from_slice(id.as_bytes());
        let tag = self.tag(&token);
        token.extend_from_slice(&tag);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// What `token` opens, and until when: nothing when it was changed or is over.
    pub fn open_link(&self, token: &str, now: DateTime<Utc>) -> Option<(Uuid, DateTime<Utc>)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signed, tag) = bytes.split_at_checked(SIGNED)?;
        constant_time::verify_slices_are_equal(&self.tag(signed), tag).ok()?;
        let (until, id) = signed.split_first_chunk::<8>()?;
        let until = DateTime::from_timestamp(i64::from_be_bytes(*until), 0)?;
        (now < until).then_some((Uuid::from_slice(id).ok()?, until))
    }

    fn tag(&self, signed: &[u8]) -> [u8; TAG] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.header_value().as_bytes());
        let mut context = hmac::Context::with_key(&key);
        context.update(PURPOSE);
        context.update(signed);
        let full = context.sign();
        let mut tag = [0; TAG];
        for (to, from) in tag.iter_mut().zip(full.as_ref()) {
            *to = *from;
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use secrecy::SecretString;

    use super::*;

    fn key(text: &str) -> InternalKey {
        InternalKey::new(SecretString::from(text))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn a_link_opens_its_thing_until_it_is_over() {
        let id = Uuid::from_u128(7);
        let token = key("a").sign_link(id, at(10));
        assert_eq!(key("a").open_link(&token, at(9)), Some((id, at(10))));
        assert_eq!(key("a").open_link(&token, at(10)), None);
        assert_eq!(key("b").open_link(&token, at(9)), None);
    }

    #[test]
    fn a_changed_or_shortened_token_opens_nothing() {
        let token = key("a").sign_link(Uuid::from_u128(7), at(10));
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_eq!(key("a").open_link(&URL_SAFE_NO_PAD.encode(changed), at(9)), None);
            assert_eq!(
                key("a").open_link(&URL_SAFE_NO_PAD.encode(&bytes[..place]), at(9)),
                None
            );
        }
        assert_eq!(key("a").open_link("", at(9)), None);
        assert_eq!(key("a").open_link("not base64!", at(9)), None);
    }
}
