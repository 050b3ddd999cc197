//! What is done with every request, wherever it goes.

pub(crate) mod access;
pub(crate) mod body;
pub(crate) mod caps;
pub(crate) mod compress;
pub(crate) mod cors;
pub(crate) mod limits;
pub(crate) mod lines;
pub(crate) mod screen;
pub(crate) mod security;
pub(crate) mod stats;
pub(crate) mod tls;
pub(crate) mod trace;
