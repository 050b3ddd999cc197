//! Rules without input or output.

mod channel;
pub mod decision;
pub mod job;
pub mod kinds;
pub mod money;
mod priority;
pub mod quiet;
pub mod reason;
pub mod retry;
pub mod template;
pub mod wishes;

pub use channel::Channel;
pub use priority::Priority;
