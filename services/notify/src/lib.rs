//! Notify: the right person, the right channel, at the right time, once.

pub mod channels;
pub mod domain;
pub mod sink;

/// The service's name.
pub const NAME: &str = "notify";
