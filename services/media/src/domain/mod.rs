//! Pure rules, no IO.

pub mod names;
