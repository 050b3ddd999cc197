//! Bytes between two connections, both ways, as they come. One that is idle holds no buffer.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::timeout;

/// What is read at a time, in bytes.
const PIECE: usize = 8 * 1024;
/// How long the last bytes have to reach either side before its connection is closed.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Whether a connection can be read or written.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// Why bytes go no longer.
enum End {
    Client,
    Service,
    Over,
}

/// Passes bytes on, those first that were read already, until either side ends or `over`; then both are closed. `sent` counts
/// what the client got.
pub(crate) async fn pump(
    (mut client, from_client): (impl Stream, BytesMut),
    (mut service, from_service): (impl Stream, BytesMut),
    over: impl Future<Output = ()>,
    sent: &Cell<u64>,
) {
    let (mut up, mut down) = (Lane::new(from_client), Lane::new(from_service));
    let both = poll_fn(|cx| {
        // What the service said last reaches the client also when both are at their end.
        if down.poll(cx, &mut service, &mut client).is_ready() {
            return Poll::Ready(End::Service);
        }
        sent.set(down.passed);
        up.poll(cx, &mut client, &mut service).map(|_| End::Client)
    });
    let end = tokio::select! {
        end = both => end,
        () = over => End::Over,
    };
    sent.set(down.passed);
    match end {
        // What the service still has to say has nobody to hear it.
        End::Client => hang_up(&mut service).await,
        End::Service | End::Over => hang_up(&mut client).await,
    }
}

/// Says that this was all, and reads over what the other side says until it has heard it: a connection that is
/// closed with something unread takes its last words back.
async fn hang_up(stream: &mut impl Stream) {
    let ending = async {
        stream.shutdown().await?;
        let mut room = [0; 512];
        while stream.read(&mut room).await? > 0 {}
        io::Result::Ok(())
    };
    // Whoever does not listen does not hear it.
    let _ = timeout(LAST_WORDS, ending).await;
}

/// One direction.
struct Lane {
    /// What was read and could not be written yet.
    waiting: BytesMut,
    unflushed: bool,
    passed: u64,
}

impl Lane {
    fn new(first: BytesMut) -> Self {
        Self {
            // A copy: what is left of a head's buffer must not stay for as long as the connection.
            waiting: first.as_ref().into(),
            unflushed: false,
            passed: 0,
        }
    }

    /// Passes on what there is. Ready at the end of `from`, and when either connection is broken.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut impl Stream,
        to: &mut impl Stream,
    ) -> Poll<io::Result<()>> {
        loop {
            while !self.waiting.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &self.waiting))?;
                self.count(written)?;
                self.waiting.advance(written);
                if self.waiting.is_empty() {
                    self.waiting = BytesMut::new();
                }
            }
            let mut room = [0; PIECE];
            let mut read = ReadBuf::new(&mut room);
            if Pin::new(&mut *from).poll_read(cx, &mut read)?.is_pending() {
                if self.unflushed {
                    ready!(Pin::new(&mut *to).poll_flush(cx))?;
                    self.unflushed = false;
                }
                return Poll::Pending;
            }
            let piece = read.filled();
            if piece.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = match Pin::new(&mut *to).poll_write(cx, piece)? {
                Poll::Ready(written) => {
                    self.count(written)?;
                    written
                }
                Poll::Pending => 0,
            };
            self.waiting
                .extend_from_slice(piece.get(written..).unwrap_or_default());
        }
    }

    fn count(&mut self, written: usize) -> io::Result<()> {
        self.unflushed = true;
        self.passed += written as u64;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(())
    }
}
