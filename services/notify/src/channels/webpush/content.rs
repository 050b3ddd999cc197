//! A push message's content, so that only the browser can read it: RFC 8291 over the
//! encoding `aes128gcm` of RFC 8188.
//!
//! A few lines over the primitives that the workspace has: the crates that do the same
//! bring a second set of them along, or a licence that is not permissive.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::rand;

/// The largest content that a push service must take is 4096 bytes: this many are left
/// after the header (86), the end mark (1) and the tag (16).
pub(super) const LARGEST: usize = 4096 - 86 - 1 - 16;

/// The size of a record; the content is a single one.
const RECORD: u32 = 4096;

const SALT: usize = 16;

/// What follows the text of the last record.
const LAST: u8 = 2;

/// What a browser gave when it subscribed.
pub(in crate::channels) struct Recipient<'r> {
    /// Its public key, an uncompressed point.
    pub(in crate::channels) p256dh: &'r [u8],
    /// Its secret.
    pub(in crate::channels) auth: &'r [u8],
}

/// Encrypts `text` with a key pair and a salt that are never used again.
pub(super) fn encrypt(to: &Recipient<'_>, text: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let mut salt = [0; SALT];
    rand::fill(&mut salt)?;
    encrypt_with(to, text, &PrivateKey::generate(&ECDH_P256)?, salt)
}

fn encrypt_with(
    to: &Recipient<'_>,
    text: &[u8],
    pair: &PrivateKey,
    salt: [u8; SALT],
) -> Result<Vec<u8>, Unspecified> {
    let public = pair.compute_public_key()?;
    let public = public.as_ref();
    let (key, nonce) = agree(pair, to.p256dh, &salt, to.auth, &[to.p256dh, public])?;
    let mut sealed = Vec::with_capacity(text.len() + 17);
    sealed.extend_from_slice(text);
    // The mark of the last record; no padding.
    sealed.push(LAST);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed)?;

    let length = u8::try_from(public.len()).map_err(|_| Unspecified)?;
    Ok([&salt, RECORD.to_be_bytes().as_slice(), &[length], public, &sealed].concat())
}

/// Decrypts a content of one record as the browser with `pair` and `auth` does. The
/// development sink is such a browser.
pub(crate) fn decrypt(pair: &PrivateKey, auth: &[u8], content: &[u8]) -> Result<Vec<u8>, Unspecified> {
    let own = pair.compute_public_key()?;
    let (salt, rest) = content.split_at_checked(SALT).ok_or(Unspecified)?;
    // The size of a record is of no interest: there is one.
    let (_, rest) = rest.split_at_checked(4).ok_or(Unspecified)?;
    let (&length, rest) = rest.split_first().ok_or(Unspecified)?;
    let (sender, sealed) = rest.split_at_checked(length.into()).ok_or(Unspecified)?;
    let (key, nonce) = agree(pair, sender, salt, auth, &[own.as_ref(), sender])?;
    let mut sealed = sealed.to_vec();
    let text = key.open_in_place(nonce, Aad::empty(), &mut sealed)?;
    let end = text.iter().rposition(|&byte| byte != 0).ok_or(Unspecified)?;
    match text.split_at_checked(end) {
        Some((text, [LAST, ..])) => Ok(text.to_vec()),
        _ => Err(Unspecified),
    }
}

/// The key and nonce of a content: the same for both sides. `keys` are the browser's public
/// key and the sender's.
fn agree(
    own: &PrivateKey,
    peer: &[u8],
    salt: &[u8],
    auth: &[u8],
    keys: &[&[u8]; 2],
) -> Result<(LessSafeKey, Nonce), Unspecified> {
    let peer = UnparsedPublicKey::new(&ECDH_P256, peer);
    let input: [u8; 32] = agreement::agree(own, peer, Unspecified, |secret| {
        let info = [b"WebPush: info\0".as_slice(), keys[0], keys[1]];
        expand(&Salt::new(HKDF_SHA256, auth).extract(secret), &info)
    })?;
    let prk = Salt::new(HKDF_SHA256, salt).extract(&input);
    let key: [u8; 16] = expand(&prk, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = expand(&prk, &[b"Content-Encoding: nonce\0"])?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    Ok((key, Nonce::assume_unique_for_key(nonce)))
}

/// How long a derived secret is.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(prk: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut out = [0; N];
    prk.expand(info, Length(N))?.fill(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    #[test]
    fn the_example_of_the_standard() {
        let p256dh =
            bytes("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4");
        let auth = bytes("BTBZMqHH6r4Tts7J_aSIgg");
        let to = Recipient {
            p256dh: &p256dh,
            auth: &auth,
        };
        let number = bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let pair = PrivateKey::from_private_key(&ECDH_P256, &number).unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let sealed = encrypt_with(&to, text, &pair, salt).unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(sealed),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
             AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn what_is_encrypted_is_read_by_the_browser_and_by_nobody_else() {
        let (browser, other) = (
            PrivateKey::generate(&ECDH_P256).unwrap(),
            PrivateKey::generate(&ECDH_P256).unwrap(),
        );
        let p256dh = browser.compute_public_key().unwrap();
        let to = Recipient {
            p256dh: p256dh.as_ref(),
            auth: &[7; 16],
        };
        let sealed = encrypt(&to, b"hi").unwrap();
        assert_eq!(decrypt(&browser, &[7; 16], &sealed).unwrap(), b"hi");
        assert!(decrypt(&other, &[7; 16], &sealed).is_err());
        assert!(decrypt(&browser, &[8; 16], &sealed).is_err());
        for length in 0..sealed.len() {
            assert!(decrypt(&browser, &[7; 16], &sealed[..length]).is_err());
        }
    }

    #[test]
    fn the_largest_content_is_as_large_as_it_may_be() {
        let browser = PrivateKey::generate(&ECDH_P256).unwrap();
        let p256dh = browser.compute_public_key().unwrap();
        let to = Recipient {
            p256dh: p256dh.as_ref(),
            auth: &[7; 16],
        };
        assert_eq!(encrypt(&to, &[b'x'; LARGEST]).unwrap().len(), 4096);
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let not_on_the_curve = [&[4][..], &[1; 64]].concat();
        for p256dh in [&[][..], &[4; 10], &not_on_the_curve] {
            let to = Recipient {
                p256dh,
                auth: &[7; 16],
            };
            assert!(encrypt(&to, b"x").is_err());
        }
    }
}
