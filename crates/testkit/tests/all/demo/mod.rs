//! Two tiny services that use what a real one would.

pub mod counter;
pub mod goals;
