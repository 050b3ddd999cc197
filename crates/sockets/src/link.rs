//! One Engine.IO session, and what waits to go out in it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::request::Parts;
use rand::distr::{Alphanumeric, SampleString as _};
use socketioxide_core::parser::ParserState;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::inbox::Inbox;
use crate::{Conn, Gone, Packet, SendError};

/// What a session carries.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// A packet with its type before it.
    Text(Utf8Bytes),
    /// An attachment.
    Binary(Bytes),
}

impl Frame {
    pub(crate) const PING: Self = Self::Text(Utf8Bytes::from_static("2"));
    pub(crate) const CLOSE: Self = Self::Text(Utf8Bytes::from_static("1"));
    pub(crate) const NOOP: Self = Self::Text(Utf8Bytes::from_static("6"));
}

/// How a session reaches its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Polling,
    /// A WebSocket is there, and the client has not gone over to it yet.
    Probed,
    WebSocket,
}

struct Out {
    queue: VecDeque<Frame>,
    transport: Transport,
    /// Whether a ping is out that nobody has answered.
    pinged: bool,
    /// The client was told to leave, whatever ends the session then.
    leaving: bool,
    ended: bool,
}

/// What sees to sessions that end.
pub(crate) trait Keeper<S: Send + Sync + 'static>: Send + Sync {
    /// It ended. Called once.
    fn ended(&self, link: &Arc<Link<S>>, why: Gone);
}

/// A session.
pub(crate) struct Link<S: Send + Sync + 'static> {
    pub(crate) sid: Box<str>,
    pub(crate) request: Parts,
    pub(crate) parser: ParserState,
    pub(crate) inbox: Mutex<Inbox>,
    /// The namespaces that the client is in. Emptied when the session ends.
    pub(crate) conns: Mutex<Vec<Arc<Conn<S>>>>,
    out: Mutex<Out>,
    most: usize,
    /// Whether a poll waits.
    polled: AtomicBool,
    /// Whoever takes what goes out: a poll or a WebSocket.
    taker: AtomicWaker,
    keeper: Arc<dyn Keeper<S>>,
}

impl<S: Send + Sync + 'static> Link<S> {
    pub(crate) fn new(request: Parts, transport: Transport, most: usize, keeper: Arc<dyn Keeper<S>>) -> Self {
        Self {
            sid: Alphanumeric.sample_string(&mut rand::rng(), 20).into(),
            request,
            parser: ParserState::default(),
            inbox: Mutex::default(),
            conns: Mutex::default(),
            out: Mutex::new(Out {
                queue: VecDeque::new(),
                transport,
                pinged: false,
                leaving: false,
                ended: false,
            }),
            most,
            polled: AtomicBool::new(false),
            taker: AtomicWaker::new(),
            keeper,
        }
    }

    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a packet at the end of what waits.
    pub(crate) fn send(&self, packet: &Packet) -> Result<(), SendError> {
        let mut out = self.out();
        out.room(self.most)?;
        out.queue.push_back(Frame::Text(packet.text.clone()));
        out.queue
            .extend(packet.binaries.iter().cloned().map(Frame::Binary));
        drop(out);
        self.taker.wake();
        Ok(())
    }

    /// Asks the client whether it is there. False when it did not answer the last time, or
    /// cannot even be asked.
    pub(crate) fn ping(&self) -> bool {
        let mut out = self.out();
        if out.pinged || out.room(self.most).is_err() {
            return false;
        }
        out.pinged = true;
        out.queue.push_back(Frame::PING);
        drop(out);
        self.taker.wake();
        true
    }

    /// The client is there.
    pub(crate) fn pong(&self) {
        self.out().pinged = false;
    }

    pub(crate) fn is_pinged(&self) -> bool {
        self.out().pinged
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.out().ended
    }

    pub(crate) fn transport(&self) -> Transport {
        self.out().transport
    }

    /// Changes the transport if it is `from`; whether it was.
    pub(crate) fn turn(&self, from: Transport, to: Transport) -> bool {
        let mut out = self.out();
        let turns = out.transport == from && !out.ended;
        if turns {
            out.transport = to;
            drop(out);
            self.taker.wake();
        }
        turns
    }

    /// From here on it is us who end it.
    pub(crate) fn leave(&self) {
        self.out().leaving = true;
    }

    /// Takes the seat of the only poll.
    pub(crate) fn begin_poll(&self) -> bool {
        !self.polled.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn end_poll(&self) {
        self.polled.store(false, Ordering::Release);
    }

    /// Everything that waits, up to so many bytes. Ready also when there is nothing to wait for.
    pub(crate) fn poll_all(&self, most_bytes: usize, context: &Context<'_>) -> Poll<Vec<Frame>> {
        self.taker.register(context.waker());
        let mut out = self.out();
        if out.queue.is_empty() {
            return match out.transport {
                Transport::Polling if !out.ended => Poll::Pending,
                _ => Poll::Ready(vec![Frame::NOOP]),
            };
        }
        let mut bytes = 0;
        let fits = |frame: &Frame| {
            bytes += match frame {
                Frame::Text(text) => text.len() + 1,
                Frame::Binary(data) => data.len() / 3 * 4 + 6,
            };
            bytes <= most_bytes
        };
        let count = out.queue.iter().map(fits).take_while(|fits| *fits).count();
        Poll::Ready(out.queue.drain(..count.max(1)).collect())
    }

    /// Whoever takes is woken when there is something.
    pub(crate) fn register(&self, context: &Context<'_>) {
        self.taker.register(context.waker());
    }

    /// The next that goes out.
    pub(crate) fn take(&self) -> Option<Frame> {
        let mut out = self.out();
        let next = out.queue.pop_front();
        if out.queue.is_empty() && out.queue.capacity() > 8 {
            out.queue = VecDeque::new();
        }
        next
    }

    /// Ends it; the first reason holds. The last that goes out tells the client.
    pub(crate) fn end(self: &Arc<Self>, why: Gone) {
        self.end_with(why, Frame::CLOSE);
    }

    /// The same with another last frame.
    pub(crate) fn end_with(self: &Arc<Self>, why: Gone, last: Frame) {
        let mut out = self.out();
        if std::mem::replace(&mut out.ended, true) {
            return;
        }
        out.queue.push_back(last);
        let why = if out.leaving { Gone::Closed } else { why };
        drop(out);
        self.taker.wake();
        self.keeper.ended(self, why);
    }

    pub(crate) fn find(&self, namespace: &str) -> Option<Arc<Conn<S>>> {
        let conns = self.conns.lock().unwrap_or_else(PoisonError::into_inner);
        conns.iter().find(|conn| conn.namespace() == namespace).cloned()
    }

    pub(crate) fn remove(&self, namespace: &str) -> Option<Arc<Conn<S>>> {
        let mut conns = self.conns.lock().unwrap_or_else(PoisonError::into_inner);
        let place = conns.iter().position(|conn| conn.namespace() == namespace)?;
        Some(conns.swap_remove(place))
    }
}

impl Out {
    fn room(&self, most: usize) -> Result<(), SendError> {
        if self.ended {
            Err(SendError::Gone)
        } else if self.queue.len() >= most {
            Err(SendError::Full)
        } else {
            Ok(())
        }
    }
}

impl<S: Send + Sync + 'static> fmt::Debug for Link<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
