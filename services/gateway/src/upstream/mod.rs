//! The services behind the gateway: which replicas they have, and how one is spoken to.

pub(crate) mod answer;
pub(crate) mod chunked;
pub(crate) mod connection;
pub(crate) mod documents;
pub(crate) mod head;
pub(crate) mod pool;
pub(crate) mod probe;
pub(crate) mod proxy;
mod pump;
pub(crate) mod sticky;
pub(crate) mod tunnel;
pub(crate) mod wire;
