//! Who is calling: token verification and its cache, key sets, principals, revocations.
//! Issuing tokens is identity's.

mod authority;
mod issuer;
mod keys;
mod link;
mod principal;
mod revocations;
mod verifier;

pub use authority::{Authority, InternalKey, Remote};
pub use issuer::{Issuer, IssuerKeys, IssuerSettings, OutsideClaims};
pub use keys::KeySet;
pub use principal::{Claims, Principal, Via};
pub use revocations::{Revocation, Revocations};
pub use verifier::{Settings, TokenReader, Verifier};

/// What an API token begins with; anything else is a JWT.
pub const API_TOKEN_PREFIX: &str = "plr_";

/// What the token in a SafeTalk session cookie begins with.
pub const COOKIE_PREFIX: &str = "plc_";

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Why a caller could not be told from their token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The token is damaged, forged, expired, not meant for us, or was revoked. Which one is nobody's business.
    #[error("the token is not valid")]
    Invalid,
    /// It cannot be said now, because identity does not answer.
    #[error("tokens cannot be checked at the moment")]
    Unavailable,
}
