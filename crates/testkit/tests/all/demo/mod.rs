//! Two tiny services that use what a real one would.

pub(crate) mod careless;
pub(crate) mod counter;
pub(crate) mod goals;
