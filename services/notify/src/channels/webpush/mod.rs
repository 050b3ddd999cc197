//! Push messages to browsers.

mod vapid;

pub use self::vapid::{NoKey, Vapid};
