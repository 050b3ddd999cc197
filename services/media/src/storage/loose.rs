//! Objects that no row knows yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::Objects;

/// How long an object is left alone: by then its upload is answered, whose time would else tell its
/// sender that somebody has the same content.
const AFTER: Duration = Duration::from_secs(1);

/// An object that is removed a second after this is dropped, unless a row knows it by then. Where a
/// commit may or may not have happened it stays, and the sweep decides later.
pub struct Loose {
    objects: Objects,
    id: Uuid,
    known: AtomicBool,
}

impl Loose {
    /// The object `id`.
    pub fn new(objects: &Objects, id: Uuid) -> Self {
        Self {
            objects: objects.clone(),
            id,
            known: AtomicBool::new(false),
        }
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// A transaction that may commit has a row for it, or has not after all.
    pub fn set_known(&self, known: bool) {
        self.known.store(known, Ordering::Release);
    }
}

impl Drop for Loose {
    fn drop(&mut self) {
        if self.known.load(Ordering::Acquire) {
            return;
        }
        // Without a runtime the process ends, and the sweep of another finds it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (objects, id) = (self.objects.clone(), self.id);
        runtime.spawn(async move {
            tokio::time::sleep(AFTER).await;
            if let Err(error) = objects.delete(id).await {
                tracing::warn!(%error, object = %id, "an object that nobody needs is left to the sweep");
            }
        });
    }
}
