//! Which Engine.IO sessions there are that began by polling, and what a request has to do
//! with one. Those that began as a WebSocket are known by their connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use engineioxide::socket::{DisconnectReason, Sid};
use engineioxide::{Socket, TransportType};
use http::Request;
use tokio::runtime::Handle;

use crate::conn::Link;
use crate::listener::ENGINE_PATH;

type Polling<S> = HashMap<Sid, Weak<Socket<Link<S>>>>;

/// The sessions.
pub(crate) struct Sessions<S: Send + Sync + 'static>(Mutex<Polling<S>>);

impl<S: Send + Sync + 'static> Default for Sessions<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S: Send + Sync + 'static> Sessions<S> {
    pub(crate) fn add(&self, socket: &Arc<Socket<Link<S>>>) {
        if socket.transport_type() == TransportType::Polling {
            self.lock().insert(socket.id, Arc::downgrade(socket));
        }
    }

    pub(crate) fn remove(&self, sid: Sid) {
        self.lock().remove(&sid);
    }

    pub(crate) fn knows(&self, sid: Sid) -> bool {
        self.lock().contains_key(&sid)
    }

    fn find(&self, sid: Sid) -> Option<Arc<Socket<Link<S>>>> {
        self.lock().get(&sid).and_then(Weak::upgrade)
    }

    fn lock(&self) -> MutexGuard<'_, Polling<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request is to Engine.IO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A session that polls.
    Session,
    /// What waits for the client of a session, or what it says.
    Poll(Sid),
    /// That a session go on over this connection.
    Upgrade(Sid),
    /// Anything else.
    Other,
}

impl Asked {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        if !request.uri().path().starts_with(ENGINE_PATH) {
            return Self::Other;
        }
        let query = request.uri().query().unwrap_or_default();
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
        let transport = value("transport=").and_then(|name| name.parse().ok());
        let sid = value("sid=").map(str::parse::<Sid>);
        match (transport, sid) {
            (Some(TransportType::Polling), None) => Self::Session,
            (Some(TransportType::Polling), Some(Ok(sid))) => Self::Poll(sid),
            (Some(TransportType::Websocket), Some(Ok(sid))) => Self::Upgrade(sid),
            _ => Self::Other,
        }
    }
}

/// Ends a session whose client gives a request up before it is answered: nobody can
/// tell whether it got what was on the way.
pub(crate) struct Unanswered<S: Send + Sync + 'static> {
    sessions: Arc<Sessions<S>>,
    sid: Option<Sid>,
}

impl<S: Send + Sync + 'static> Unanswered<S> {
    pub(crate) fn new(sessions: Arc<Sessions<S>>, asked: Asked) -> Self {
        let sid = match asked {
            Asked::Poll(sid) => Some(sid),
            _ => None,
        };
        Self { sessions, sid }
    }

    pub(crate) fn answered(mut self) {
        self.sid = None;
    }
}

impl<S: Send + Sync + 'static> Drop for Unanswered<S> {
    fn drop(&mut self) {
        // Without a runtime the process is ending.
        let there = self.sid.filter(|_| Handle::try_current().is_ok());
        // What the client has upgraded goes on over its WebSocket.
        if let Some(socket) = there.and_then(|sid| self.sessions.find(sid))
            && socket.transport_type() == TransportType::Polling
        {
            socket.close(DisconnectReason::TransportError);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        let of = |uri: &str| Asked::of(&Request::get(uri).body(()).unwrap());
        let sid: Sid = "AAAAAAAAAAAAAAHs".parse().unwrap();
        assert_eq!(of("/socket.io/?EIO=4&transport=polling"), Asked::Session);
        assert_eq!(
            of("/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAHs"),
            Asked::Poll(sid)
        );
        assert_eq!(
            of("/socket.io/?transport=websocket&sid=AAAAAAAAAAAAAAHs&EIO=4"),
            Asked::Upgrade(sid)
        );
        for other in [
            "/socket.io/?EIO=4&transport=websocket",
            "/socket.io/",
            "/socket.io/?transport=polling&sid=short",
            "/ws/?transport=polling&sid=AAAAAAAAAAAAAAHs",
        ] {
            assert_eq!(of(other), Asked::Other, "{other}");
        }
    }
}
