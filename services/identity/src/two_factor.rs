//! The second factor: TOTP (RFC 6238: SHA-1, 6 digits, 30 s, one step of drift) and recovery codes.

use parlour_db::Tx;
use totp_rs::{Builder, Secret, Totp};

use crate::domain::secret;
use crate::error::Error;
use crate::state::Identity;
use crate::store::accounts::{self, Account};
use crate::store::single_use;

/// What a person shows.
pub enum Proof {
    /// The code of their authenticator.
    Code(String),
    /// One of their recovery codes.
    Recovery(String),
}

impl Proof {
    /// The one that was given.
    pub fn of(code: Option<String>, recovery: Option<String>) -> Self {
        match (code, recovery) {
            (Some(code), _) => Self::Code(code),
            (None, recovery) => Self::Recovery(recovery.unwrap_or_default()),
        }
    }
}

/// A new secret of 160 random bits, as RFC 4226 recommends.
pub fn new_secret() -> Result<Secret, Error> {
    let mut bytes = [0; 20];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| parlour_vault::VaultError::NoRandomness)?;
    Ok(Secret::from(bytes.to_vec()))
}

/// The authenticator of a secret, labelled for the app that shows it.
pub fn authenticator(secret: &[u8], label: &str) -> Result<Totp, Error> {
    Builder::new()
        .with_secret(secret.to_vec())
        .with_skew(1)
        .with_issuer(Some("Parlour"))
        .with_account_name(label.replace(':', " "))
        .build()
        .map_err(|error| Error::Internal(error.to_string()))
}

/// Checks a proof and uses it up: a code's time step and a recovery code count once.
pub async fn accept(state: &Identity, tx: &mut Tx, account: &Account, proof: &Proof) -> Result<bool, Error> {
    match proof {
        Proof::Code(code) => {
            let Some(step) = matching_step(state, account, code)? else {
                return Ok(false);
            };
            Ok(accounts::use_step(tx, account.id, step).await?)
        }
        Proof::Recovery(code) => {
            let hash = recovery_hash(code);
            Ok(single_use::use_recovery_code(tx, account.id, &hash, state.now()).await?)
        }
    }
}

/// What is stored of a recovery code; how it was typed does not matter.
pub fn recovery_hash(code: &str) -> Vec<u8> {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    secret::hash(&plain)
}

/// The time step whose code this is.
fn matching_step(state: &Identity, account: &Account, code: &str) -> Result<Option<i64>, Error> {
    let Some(sealed) = &account.two_factor_sealed else {
        return Ok(None);
    };
    let plain = state.vault.open(&Account::two_factor_place(account.id), sealed)?;
    let totp = authenticator(&plain, "account")?;
    let now = u64::try_from(state.now().timestamp()).unwrap_or_default();
    let code = code.trim().replace(' ', "");
    let step = totp
        .check(&code, now)
        .map(|step| i64::try_from(step).unwrap_or_default());
    Ok(step)
}
