//! A connection that short reads share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::Pooled;

/// So many reads share a connection at the most: the last of them waits for as many.
const WIDTH: usize = 16;

/// The connection that a runtime sends its short reads by, while there are any.
///
/// PostgreSQL's server process wakes up for a message and sleeps after its answer. Messages that
/// are there already it takes without that, and answers them by one write. Each read ends with a
/// `Sync`, which makes it a transaction of its own: neither a setting nor an error reaches the next.
#[derive(Default)]
pub(crate) struct Line(Mutex<Weak<Pooled>>);

impl Line {
    /// The connection, if there is one with room.
    pub(crate) fn join(&self) -> Option<Arc<Pooled>> {
        let conn = self.lock().upgrade()?;
        (Arc::strong_count(&conn) <= WIDTH).then_some(conn)
    }

    /// Lets the reads that follow join `conn`, instead of the one before.
    pub(crate) fn open(&self, conn: Pooled) -> Arc<Pooled> {
        let conn = Arc::new(conn);
        *self.lock() = Arc::downgrade(&conn);
        conn
    }

    /// Lets nobody join `conn` any more.
    pub(crate) fn leave(&self, conn: &Arc<Pooled>) {
        let mut open = self.lock();
        if open.as_ptr() == Arc::as_ptr(conn) {
            *open = Weak::new();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Weak<Pooled>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
