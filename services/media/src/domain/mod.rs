//! Pure rules, no IO.

pub mod conditions;
pub mod disposition;
pub mod names;
pub mod range;
pub mod tus;
