//! Bytes between two connections, both ways, as they come. One that is idle holds no buffer.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
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

/// A connection takes nothing any more.
struct Broken;

/// Passes bytes on, those first that were read already, until either side ends or `over`; then both are closed. `sent` counts
/// what the client got.
pub(crate) async fn pump(
    (mut client, from_client): (impl Stream, BytesMut),
    (mut service, from_service): (impl Stream, BytesMut),
    over: impl Future<Output = ()>,
    sent: &Cell<u64>,
) {
    let (mut up, mut down) = (Lane::new(&from_client), Lane::new(&from_service));
    drop((from_client, from_service));
    // Where one side takes nothing any more, what it said before is passed on even so.
    let (mut goes_up, mut goes_down) = (true, true);
    let both = poll_fn(|cx| {
        if goes_down && let Poll::Ready(over) = down.poll(cx, &mut service, &mut client) {
            match over {
                Ok(()) => return Poll::Ready(End::Service),
                Err(Broken) => goes_down = false,
            }
        }
        sent.set(down.passed);
        if goes_up && let Poll::Ready(over) = up.poll(cx, &mut client, &mut service) {
            match over {
                Ok(()) => return Poll::Ready(End::Client),
                Err(Broken) => goes_up = false,
            }
        }
        if goes_up || goes_down {
            Poll::Pending
        } else {
            Poll::Ready(End::Client)
        }
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
    fn new(first: &[u8]) -> Self {
        Self {
            // A copy: what is left of a head's buffer must not stay for as long as the connection.
            waiting: first.into(),
            unflushed: false,
            passed: 0,
        }
    }

    /// Passes on what there is. Ready when `from` says no more, and when `to` takes no more.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut impl Stream,
        to: &mut impl Stream,
    ) -> Poll<Result<(), Broken>> {
        loop {
            while !self.waiting.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &self.waiting));
                let written = self.count(written)?;
                self.waiting.advance(written);
                if self.waiting.is_empty() {
                    self.waiting = BytesMut::new();
                }
            }
            let mut room = [MaybeUninit::uninit(); PIECE];
            let mut read = ReadBuf::uninit(&mut room);
            let Poll::Ready(came) = Pin::new(&mut *from).poll_read(cx, &mut read) else {
                if self.unflushed {
                    ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(|_| Broken)?;
                    self.unflushed = false;
                }
                return Poll::Pending;
            };
            let piece = read.filled();
            if came.is_err() || piece.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let written = match Pin::new(&mut *to).poll_write(cx, piece) {
                Poll::Ready(written) => self.count(written)?,
                Poll::Pending => 0,
            };
            self.waiting
                .extend_from_slice(piece.get(written..).unwrap_or_default());
        }
    }

    fn count(&mut self, written: io::Result<usize>) -> Result<usize, Broken> {
        let written = written.ok().filter(|written| *written > 0).ok_or(Broken)?;
        self.unflushed = true;
        self.passed += written as u64;
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::rc::Rc;

    use tokio::io::{DuplexStream, duplex};
    use tokio::task::LocalSet;

    use super::*;

    /// Both ends of a connection that has a pump in the middle, with room for 64 bytes on either side.
    fn pumped(sent: Rc<Cell<u64>>) -> (DuplexStream, DuplexStream) {
        let ((client, left), (right, service)) = (duplex(64), duplex(64));
        tokio::task::spawn_local(async move {
            let first = BytesMut::from(&b"first"[..]);
            pump((left, BytesMut::new()), (right, first), pending(), &sent).await;
        });
        (client, service)
    }

    #[tokio::test]
    async fn all_that_came_goes_out_and_then_the_connection_is_closed() {
        let work = async {
            let sent = Rc::new(Cell::new(0));
            let (mut client, mut service) = pumped(sent.clone());
            let said = async move {
                service.write_all(&[b'x'; 1000]).await.unwrap();
                service.write_all(b", last").await.unwrap();
            };
            let mut came = Vec::new();
            // There is room for what is read, and for no more.
            let (heard, ()) = tokio::join!(client.read_to_end(&mut came), said);
            heard.unwrap();
            let expected = [b"first".as_slice(), &[b'x'; 1000], b", last"].concat();
            assert_eq!(came, expected);
            assert_eq!(sent.get(), 1011);
        };
        LocalSet::new().run_until(work).await;
    }

    #[tokio::test]
    async fn the_end_of_the_client_is_told_to_the_service() {
        let work = async {
            let (mut client, mut service) = pumped(Rc::default());
            client.write_all(b"bye").await.unwrap();
            drop(client);
            let mut came = Vec::new();
            service.read_to_end(&mut came).await.unwrap();
            assert_eq!(came, b"bye");
        };
        LocalSet::new().run_until(work).await;
    }

    /// What a client leaves unread waits at the service, but for one piece.
    #[tokio::test]
    async fn a_client_that_does_not_read_holds_the_service_up() {
        let work = async {
            let (_client, mut service) = pumped(Rc::default());
            let mut written = 0;
            let endless = async {
                loop {
                    written += service.write(&[0; 64]).await.unwrap();
                }
            };
            assert!(timeout(Duration::from_millis(200), endless).await.is_err());
            assert!(written <= PIECE + 256, "{written}");
        };
        LocalSet::new().run_until(work).await;
    }
}
