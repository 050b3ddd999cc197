//! What the operator's command line does with events. Nothing here prints.

mod parked;
mod show;
mod tail;

pub use parked::{AdminError, Operator, ParkedEvent, drop_event, parked, replay, show};
pub use show::{Shown, decode};
pub use tail::{Start, Tail, tail};
