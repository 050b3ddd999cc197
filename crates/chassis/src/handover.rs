//! Connections that one service of a process accepts and another one keeps.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

/// A connection that was accepted elsewhere in this process.
pub struct Handed {
    /// The connection. Nothing was said on it yet.
    pub stream: std::net::TcpStream,
    /// What the client said: the head of its request as the services read it, and what came behind.
    pub said: Bytes,
    /// Dropped with the connection.
    pub held: Box<dyn Any + Send + Sync>,
}

type Taker = dyn Fn(Handed) + Send + Sync;

/// The listeners of this process that take connections over, by their addresses. Cheap to clone.
#[derive(Clone, Default)]
pub struct Handovers(Arc<RwLock<HashMap<SocketAddr, Arc<Taker>>>>);

impl Handovers {
    /// From now on `taker` gets the connections that would be passed on to `address`. It does not wait.
    pub fn offer(&self, address: SocketAddr, taker: impl Fn(Handed) + Send + Sync + 'static) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(address, Arc::new(taker));
    }

    /// Who takes over what would be passed on to `address`.
    pub fn at(&self, address: SocketAddr) -> Option<Arc<Taker>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let everywhere = match address.ip() {
            IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        let everywhere = SocketAddr::new(everywhere, address.port());
        let here = address.ip().is_loopback().then(|| all.get(&everywhere)).flatten();
        all.get(&address).or(here).cloned()
    }
}
