//! Events of other services, and of this one, that move orders.

mod blocks;
mod created;
mod erased;
mod files;
mod payments;

use std::sync::Arc;

use parlour_events::{Consumer, Failure};
use uuid::Uuid;

use crate::state::Orders;

/// Everything that orders listens to.
pub fn consumer(state: &Arc<Orders>) -> Consumer {
    // What is kept of people comes first: the handlers behind it see it.
    let consumer = parlour_directory::handle(Consumer::new(crate::NAME));
    let consumer = payments::handle(consumer, state);
    let consumer = created::handle(consumer, state);
    let consumer = erased::handle(consumer, state);
    files::handle(blocks::handle(consumer))
}

/// An id that has to be one.
fn id(text: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(text).map_err(Failure::poison)
}
