//! Engine.IO over a WebSocket: one task that reads, writes and asks whether the client is
//! there, and holds nothing else.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink as _, SinkExt as _, Stream as _, StreamExt as _};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::engine::Engine;
use crate::link::{Frame, Link, Transport};
use crate::websocket::{Pending, WebSocket};
use crate::{App, Gone};

/// How long a client may take to go over to a WebSocket that it opened.
const UPGRADE: Duration = Duration::from_secs(10);

enum Step {
    Heard(Message),
    /// What came is no message, or the connection is gone.
    Over(Gone),
    /// The time is up.
    Late,
    /// Everything went out of a session that ended.
    Done,
}

struct Socket<S: Send + Sync + 'static> {
    link: Arc<Link<S>>,
    ws: WebSocket,
    timer: Pin<Box<Sleep>>,
    /// Whether something is not on its way yet.
    dirty: bool,
    ending: bool,
}

impl<A: App> Engine<A> {
    /// A session that begins over a WebSocket.
    pub(crate) async fn socket(self: Arc<Self>, request: http::request::Parts, pending: Pending) {
        let Some(mut ws) = pending.open().await else {
            return;
        };
        let (link, handshake) = self.begin(request, None);
        if ws.stream.send(Message::text(handshake)).await.is_err() {
            return link.end(Gone::Broken);
        }
        self.run(link, ws).await;
    }

    /// A session that goes over to a WebSocket, if its client does. Otherwise it polls on.
    pub(crate) async fn upgrade(self: Arc<Self>, link: Arc<Link<A::State>>, pending: Pending) {
        let Some(mut ws) = pending.open().await else {
            return;
        };
        // Another one may be at it.
        let mut probed = false;
        let going = tokio::time::timeout(UPGRADE, async {
            if next_text(&mut ws).await? != "2probe" {
                return None;
            }
            ws.stream.send(Message::text("3probe")).await.ok()?;
            // Whatever polls is let go from here on.
            probed = link.turn(Transport::Polling, Transport::Probed);
            (probed && next_text(&mut ws).await? == "5").then_some(())
        });
        let went = going.await.ok().flatten().is_some();
        if went && link.turn(Transport::Probed, Transport::WebSocket) {
            self.run(link, ws).await;
        } else if probed {
            link.turn(Transport::Probed, Transport::Polling);
        }
    }

    async fn run(self: Arc<Self>, link: Arc<Link<A::State>>, ws: WebSocket) {
        let mut socket = Socket {
            link,
            ws,
            timer: Box::pin(tokio::time::sleep(self.settings.ping_interval)),
            dirty: false,
            ending: false,
        };
        // What was asked by polling was answered by polling, or never will be.
        socket.link.pong();
        loop {
            let step = poll_fn(|context| socket.step(context)).await;
            let link = &socket.link;
            match step {
                Step::Done => return,
                Step::Over(why) => return link.end(why),
                Step::Late if socket.ending => return,
                Step::Late if link.ping() => socket.wait(self.settings.ping_timeout),
                Step::Late => link.end(Gone::Broken),
                Step::Heard(message) => self.heard(message, &mut socket),
            }
            if !socket.ending && socket.link.is_ended() {
                // Who does not take the last either is cut off.
                socket.ending = true;
                socket.wait(self.settings.stalled);
            }
        }
    }

    fn heard(&self, message: Message, socket: &mut Socket<A::State>) {
        let link = &socket.link;
        match message {
            Message::Text(text) => match text.as_str() {
                "3" => {
                    link.pong();
                    socket.wait(self.settings.ping_interval);
                }
                "1" => link.end(Gone::Left),
                packet => match packet.strip_prefix('4') {
                    Some(message) => self.text(message, link),
                    None => link.end(Gone::Refused),
                },
            },
            Message::Binary(data) => self.binary(data, link),
            Message::Close(_) => link.end(Gone::Left),
            // The answer to a ping of the WebSocket itself is written already.
            _ => socket.dirty = true,
        }
    }
}

impl<S: Send + Sync + 'static> Socket<S> {
    fn wait(&mut self, time: Duration) {
        self.timer.as_mut().reset(Instant::now() + time);
    }

    fn step(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        self.link.register(context);
        if let Poll::Ready(over) = self.write(context) {
            return Poll::Ready(over);
        }
        if !self.ending {
            match Pin::new(&mut self.ws.stream).poll_next(context) {
                Poll::Ready(Some(Ok(message))) => return Poll::Ready(Step::Heard(message)),
                Poll::Ready(Some(Err(Error::Capacity(_) | Error::Utf8(_)))) => {
                    return Poll::Ready(Step::Over(Gone::Refused));
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(Step::Over(Gone::Broken)),
                Poll::Pending => {}
            }
        }
        self.timer.as_mut().poll(context).map(|()| Step::Late)
    }

    /// Writes what waits, as far as the client takes it.
    fn write(&mut self, context: &mut Context<'_>) -> Poll<Step> {
        let ended = self.link.is_ended();
        let mut stream = Pin::new(&mut self.ws.stream);
        loop {
            match stream.as_mut().poll_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Step::Over(Gone::Broken)),
                Poll::Pending => return Poll::Pending,
            }
            let message = match self.link.take() {
                Some(Frame::Text(text)) => Message::Text(text),
                Some(Frame::Binary(data)) => Message::Binary(data),
                None => break,
            };
            if stream.as_mut().start_send(message).is_err() {
                return Poll::Ready(Step::Over(Gone::Broken));
            }
            self.dirty = true;
        }
        if ended {
            return stream.poll_close(context).map(|_| Step::Done);
        }
        if self.dirty {
            match stream.poll_flush(context) {
                Poll::Ready(Ok(())) => self.dirty = false,
                Poll::Ready(Err(_)) => return Poll::Ready(Step::Over(Gone::Broken)),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }
}

async fn next_text(ws: &mut WebSocket) -> Option<String> {
    let message = ws.stream.next().await?.ok()?;
    message
        .is_text()
        .then(|| message.into_text().ok())?
        .map(|text| text.to_string())
}
