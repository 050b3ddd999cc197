//! Rules without IO.

pub mod content;
pub mod kinds;
pub mod names;
pub mod opening;
