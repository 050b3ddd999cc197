//! Rules without IO.

pub mod content;
pub mod kinds;
pub mod opening;
