//! Password hashes: argon2id at OWASP's parameters, and never more at once than the machine can carry.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::error::Error;

/// OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Computes and checks hashes. Cheap to clone.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    slots: Arc<Semaphore>,
    /// The hash of a password that nobody has, so that an unknown account costs what a known one does.
    decoy: Arc<str>,
}

impl Hasher {
    /// A hasher that computes at most `concurrent` hashes at once; 0 is one per core.
    pub fn new(concurrent: usize) -> Result<Self, Error> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(internal)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let decoy = hash_with(&argon2, "")?;
        Ok(Self {
            argon2,
            slots: Arc::new(Semaphore::new(if concurrent == 0 { cores } else { concurrent })),
            decoy: decoy.into(),
        })
    }

    /// The hash of `password`, as a PHC string.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let argon2 = self.argon2.clone();
        self.in_a_slot(move || hash_with(&argon2, &password)).await?
    }

    /// Whether `password` has the hash `stored`. Takes as long when there is none.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, Error> {
        let argon2 = self.argon2.clone();
        let decoy = self.decoy.clone();
        self.in_a_slot(move || {
            let known = stored.is_some();
            let hash = stored.as_deref().unwrap_or(&decoy);
            argon2.verify_password(password.as_bytes(), hash).is_ok() && known
        })
        .await
    }

    async fn in_a_slot<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Error> {
        let slot = self.slots.clone().acquire_owned().await.map_err(internal)?;
        tokio::task::spawn_blocking(move || {
            let _slot = slot;
            work()
        })
        .await
        .map_err(internal)
    }
}

fn hash_with(argon2: &Argon2<'_>, password: &str) -> Result<String, Error> {
    argon2
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_fits_its_password_alone() {
        let hasher = Hasher::new(1).unwrap();
        let hash = hasher.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            hasher
                .verify("correct horse".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!hasher.verify("wrong horse".to_owned(), Some(hash)).await.unwrap());
        assert!(!hasher.verify(String::new(), None).await.unwrap());
    }
}
