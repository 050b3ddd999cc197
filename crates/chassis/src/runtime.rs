//! The threads that do what no listener does: events, jobs, sockets.

use std::io;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// The variable that says how many there are, which is tokio's own.
const THREADS: &str = "TOKIO_WORKER_THREADS";

/// The runtime of a process. It has half as many threads as the machine has cores, and at least one, unless
/// `TOKIO_WORKER_THREADS` says how many: each listener has a thread for each core besides, and threads that share
/// few tasks wake each other more than they work.
pub fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if std::env::var_os(THREADS).is_none() {
        let cores = available_parallelism().map_or(1, usize::from);
        builder.worker_threads((cores / 2).max(1));
    }
    builder.enable_all().build()
}
