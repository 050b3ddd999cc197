//! Opaque tokens: made from the system's randomness, stored as hashes.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlour_vault::VaultError;

/// A new token of 256 random bits, behind `prefix`.
pub fn token(prefix: &str) -> Result<String, VaultError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// What is stored of a token. A plain hash is enough for 256 random bits.
pub fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

/// A code of `digits` decimal digits.
pub fn code(digits: u32) -> Result<String, VaultError> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    let width = usize::try_from(digits).unwrap_or(6);
    // The bias of a 64-bit number taken modulo a million is below 10^-13.
    let number = u64::from_be_bytes(bytes) % 10u64.pow(digits);
    Ok(format!("{number:0width$}"))
}

/// A recovery code: 50 random bits in Crockford's base 32, which has no letters to confuse.
pub fn recovery_code() -> Result<String, VaultError> {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0; 10];
    rand::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    let letters: String = bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect();
    let (left, right) = letters.split_at(5);
    Ok(format!("{left}-{right}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_codes_have_their_form() {
        let token = token("plr_").unwrap();
        assert!(token.starts_with("plr_") && token.len() == 4 + 43);
        assert_eq!(code(6).unwrap().len(), 6);
        let recovery = recovery_code().unwrap();
        assert_eq!((recovery.len(), recovery.find('-')), (11, Some(5)));
        assert_eq!(hash("a"), hash("a"));
        assert_ne!(hash("a"), hash("b"));
    }
}
