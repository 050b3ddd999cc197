//! Rules without input or output.

mod channel;
mod priority;

pub use channel::Channel;
pub use priority::Priority;
