//! Connections that short reads share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime;

use crate::Pooled;

/// So many reads share a connection at the most: the last of them waits for as many.
const WIDTH: usize = 16;

/// The connection that each runtime sends its short reads by, while there are any.
///
/// PostgreSQL's server process wakes up for a message and sleeps after its answer. Messages that
/// are there already it takes without that, and answers them by one write. Each read ends with a
/// `Sync`, which makes it a transaction of its own: neither a setting nor an error reaches the next.
#[derive(Default)]
pub(crate) struct Lines(Mutex<HashMap<runtime::Id, Weak<Pooled>>>);

impl Lines {
    /// The line of this runtime, if it has one with room.
    pub(crate) fn join(&self) -> Option<Arc<Pooled>> {
        let line = self.all().get(&here())?.upgrade()?;
        (Arc::strong_count(&line) <= WIDTH).then_some(line)
    }

    /// Opens `conn` to the reads that follow in this runtime, instead of what was open to them.
    pub(crate) fn open(&self, conn: Pooled) -> Arc<Pooled> {
        let line = Arc::new(conn);
        self.all().insert(here(), Arc::downgrade(&line));
        line
    }

    /// Lets nobody join `line` any more.
    pub(crate) fn leave(&self, line: &Arc<Pooled>) {
        let mut all = self.all();
        if all
            .get(&here())
            .is_some_and(|open| open.as_ptr() == Arc::as_ptr(line))
        {
            all.remove(&here());
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<runtime::Id, Weak<Pooled>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn here() -> runtime::Id {
    runtime::Handle::current().id()
}
