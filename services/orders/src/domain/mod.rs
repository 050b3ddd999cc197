//! Rules without IO.

pub mod appointment;
pub mod hours;
pub mod money;
pub mod number;
pub mod order;
pub mod payment;
pub mod slots;
pub mod text;
