//! What the `parlour` binary is made of and tests of the whole need too.

pub mod services;
