//! A small SMTP server (RFC 5321) that takes everything and passes nothing on.

mod command;
mod mail;
mod reader;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::session::Session;
use super::Outbox;

/// Conversations at the same time.
const SESSIONS: usize = 64;

/// How long a client may be silent.
const PATIENCE: Duration = Duration::from_mins(1);

/// Serves until `stop`; mails have at most `mail_bytes` bytes.
pub(super) async fn serve(
    listener: TcpListener,
    outbox: Arc<Outbox>,
    mail_bytes: usize,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(SESSIONS));
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        while sessions.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: sessions that end will give some back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let outbox = outbox.clone();
        sessions.spawn(async move {
            // Whoever hangs up in the middle of a sentence has hung up.
            let _ = converse(stream, outbox, mail_bytes).await;
            drop(place);
        });
    }
}

async fn converse(mut stream: TcpStream, outbox: Arc<Outbox>, mail_bytes: usize) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, write) = stream.split();
    Session::new(read, write, &outbox, mail_bytes).run().await
}
