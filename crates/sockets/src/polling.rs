//! Engine.IO by polling: a request that waits for what goes out, and one for what comes in.

use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Collected, Full, LengthLimitError, Limited};
use hyper::body::Incoming;

use crate::asked::{BAD_REQUEST, UNKNOWN_SESSION};
use crate::engine::Engine;
use crate::link::{Frame, Link, Transport};
use crate::listener::Seat;
use crate::{App, Gone, Response, refuse};

/// Between the packets of one payload.
const SEPARATOR: char = '\u{1e}';

fn text(text: String) -> Response {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=UTF-8"),
    );
    response
}

pub(crate) fn wrong(sentence: &'static str) -> Response {
    let mut response = refuse(StatusCode::BAD_REQUEST, sentence);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn payload(frames: Vec<Frame>) -> String {
    let mut payload = String::new();
    for frame in frames {
        if !payload.is_empty() {
            payload.push(SEPARATOR);
        }
        match frame {
            Frame::Text(text) => payload.push_str(&text),
            Frame::Binary(data) => {
                payload.push('b');
                STANDARD.encode_string(&data, &mut payload);
            }
        }
    }
    payload
}

/// Ends a session whose client gives a request up before it is answered: nobody can
/// tell whether it got what was on the way.
struct Unanswered<S: Send + Sync + 'static>(Option<Arc<Link<S>>>);

impl<S: Send + Sync + 'static> Unanswered<S> {
    /// It is answered.
    fn answered(mut self) -> Option<Arc<Link<S>>> {
        self.0.take()
    }
}

impl<S: Send + Sync + 'static> Drop for Unanswered<S> {
    fn drop(&mut self) {
        // Without a runtime the process is ending. What was upgraded goes on.
        if let Some(link) = self.0.take()
            && tokio::runtime::Handle::try_current().is_ok()
            && link.transport() != Transport::WebSocket
        {
            link.end(Gone::Broken);
        }
    }
}

impl<A: App> Engine<A> {
    /// Begins a session that polls, and looks after it while it does.
    pub(crate) fn open(self: &Arc<Self>, request: Parts, seat: Seat) -> Response {
        let (link, handshake) = self.begin(request, Some(seat));
        let (interval, timeout) = (self.settings.ping_interval, self.settings.ping_timeout);
        let session = Arc::downgrade(&link);
        tokio::spawn(async move {
            // Once it is a WebSocket that looks after itself.
            let polls = |link: &Arc<Link<A::State>>| {
                let here = link.transport() != Transport::WebSocket;
                here && !link.is_ended()
            };
            let mut pause = interval;
            loop {
                tokio::time::sleep(pause).await;
                match session.upgrade().filter(polls) {
                    Some(link) if link.ping() => {}
                    Some(link) => return link.end(Gone::Broken),
                    None => return,
                }
                tokio::time::sleep(timeout).await;
                match session.upgrade().filter(polls) {
                    Some(link) if link.is_pinged() => return link.end(Gone::Broken),
                    Some(_) => pause = interval.saturating_sub(timeout),
                    None => return,
                }
            }
        });
        text(handshake)
    }

    /// What waits for a session's client, as soon as there is something. The answer's
    /// future ends the session when it is dropped before, also before it was polled.
    pub(crate) fn poll(&self, sid: &str) -> Result<impl Future<Output = Response> + Send + use<A>, Response> {
        let unanswered = self.asked(sid)?;
        let waits = unanswered.0.as_ref().is_some_and(|link| link.begin_poll());
        if !waits {
            if let Some(link) = unanswered.answered() {
                link.end(Gone::Refused);
            }
            return Err(wrong(BAD_REQUEST));
        }
        let most = self.settings.payload_bytes;
        Ok(async move {
            let frames = poll_fn(|context| match &unanswered.0 {
                Some(link) => link.poll_all(most, context),
                None => Poll::Ready(Vec::new()),
            });
            let frames = frames.await;
            if let Some(link) = unanswered.answered() {
                link.end_poll();
            }
            text(payload(frames))
        })
    }

    /// The session of a request, which ends if it is not answered.
    fn asked(&self, sid: &str) -> Result<Unanswered<A::State>, Response> {
        let link = self.find(sid).ok_or_else(|| wrong(UNKNOWN_SESSION))?;
        if link.transport() == Transport::WebSocket {
            return Err(wrong(BAD_REQUEST));
        }
        Ok(Unanswered(Some(link)))
    }

    /// Takes what a session's client says.
    pub(crate) fn said(
        self: Arc<Self>,
        sid: &str,
        request: Request<Incoming>,
    ) -> Result<impl Future<Output = Response> + Send + use<A>, Response> {
        let unanswered = self.asked(sid)?;
        Ok(async move {
            let body = Limited::new(request.into_body(), self.settings.payload_bytes);
            let body = body.collect().await;
            match unanswered.answered() {
                Some(link) => self.take_all(&link, body.map(Collected::to_bytes)),
                None => wrong(UNKNOWN_SESSION),
            }
        })
    }

    fn take_all(
        &self,
        link: &Arc<Link<A::State>>,
        body: Result<Bytes, Box<dyn Error + Send + Sync>>,
    ) -> Response {
        let body = match body {
            Ok(body) => body,
            Err(error) if error.is::<LengthLimitError>() => {
                link.end(Gone::Refused);
                return refuse(StatusCode::PAYLOAD_TOO_LARGE, "too much at once");
            }
            Err(_) => {
                link.end(Gone::Broken);
                return wrong(BAD_REQUEST);
            }
        };
        let taken = std::str::from_utf8(&body).is_ok_and(|payload| {
            let mut packets = payload.split(SEPARATOR);
            packets.all(|packet| self.packet(packet, link))
        });
        if !taken {
            link.end(Gone::Refused);
            return wrong(BAD_REQUEST);
        }
        text("ok".to_owned())
    }

    /// Whether a client may say this.
    fn packet(&self, packet: &str, link: &Arc<Link<A::State>>) -> bool {
        if let Some(message) = packet.strip_prefix('4') {
            self.text(message, link);
        } else if let Some(data) = packet.strip_prefix('b') {
            let Ok(data) = STANDARD.decode(data) else {
                return false;
            };
            self.binary(data.into(), link);
        } else {
            match packet {
                "3" => link.pong(),
                // A poll that waits ends with nothing to say.
                "1" => link.end_with(Gone::Left, Frame::NOOP),
                _ => return false,
            }
        }
        true
    }
}
