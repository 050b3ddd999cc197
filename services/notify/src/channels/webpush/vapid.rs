//! Who we are to a push service: VAPID (RFC 8292).

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian as _, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::Url;

/// How long a token is good for. A push service accepts a day at the most.
const HOURS: i64 = 12;

/// The key pair of an application server. Subscriptions are bound to it: with another
/// key none of them can be used any more.
pub struct Vapid {
    key: EncodingKey,
    public: String,
    contact: String,
}

#[derive(Serialize)]
struct Claims<'c> {
    aud: String,
    exp: i64,
    sub: &'c str,
}

/// A text that is no P-256 private key.
#[derive(Debug, thiserror::Error)]
#[error("not a P-256 private key of 32 bytes in base64url")]
pub struct NoKey;

impl Vapid {
    /// The pair of `private_key`: the 32 bytes of its number in base64url, as every tool
    /// that makes VAPID keys writes them. `contact` is a `mailto:` or `https:` URL by
    /// which a push service can reach whoever runs this.
    pub fn new(private_key: &SecretString, contact: &str) -> Result<Self, NoKey> {
        let text = private_key.expose_secret().trim().trim_end_matches('=');
        let number = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoKey)?;
        let pair = PrivateKey::from_private_key(&ECDH_P256, &number).map_err(|_| NoKey)?;
        Self::of(&number, &pair, contact)
    }

    /// A new pair, for as long as this process lives.
    pub fn generate(contact: &str) -> Result<Self, NoKey> {
        let pair = PrivateKey::generate(&ECDH_P256).map_err(|_| NoKey)?;
        let number: EcPrivateKeyBin<'_> = pair.as_be_bytes().map_err(|_| NoKey)?;
        Self::of(number.as_ref(), &pair, contact)
    }

    fn of(number: &[u8], pair: &PrivateKey, contact: &str) -> Result<Self, NoKey> {
        let public = pair.compute_public_key().map_err(|_| NoKey)?;
        let signing = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            number,
            public.as_ref(),
        )
        .map_err(|_| NoKey)?;
        let pkcs8 = signing.to_pkcs8v1().map_err(|_| NoKey)?;
        Ok(Self {
            key: EncodingKey::from_ec_der(pkcs8.as_ref()),
            public: URL_SAFE_NO_PAD.encode(public.as_ref()),
            contact: contact.to_owned(),
        })
    }

    /// The public key, as a browser's `applicationServerKey` takes it.
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// The `Authorization` header for a message to `endpoint`.
    pub(super) fn authorization(
        &self,
        endpoint: &Url,
        now: DateTime<Utc>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            aud: endpoint.origin().ascii_serialization(),
            exp: now.timestamp() + HOURS * 3600,
            sub: &self.contact,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.key)?;
        Ok(format!("vapid t={token}, k={}", self.public))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The application server's key of RFC 8291's example.
    const PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const PUBLIC: &str =
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8";

    #[test]
    fn the_public_key_belongs_to_the_private_one() {
        let vapid = Vapid::new(&PRIVATE.into(), "mailto:ops@example.org").unwrap();
        assert_eq!(vapid.public_key(), PUBLIC);
        let padded = format!("{PRIVATE}=");
        assert!(Vapid::new(&padded.into(), "mailto:ops@example.org").is_ok());
    }

    #[test]
    fn other_texts_are_no_keys() {
        let order_of_the_curve = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
        for text in ["", "short", "*", PUBLIC, order_of_the_curve] {
            assert!(
                Vapid::new(&text.into(), "mailto:ops@example.org").is_err(),
                "{text}"
            );
        }
    }
}
