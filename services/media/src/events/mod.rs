//! Events of other services that change who may read what, and how much.

mod billing;
mod chat;
mod erased;
mod orders;

use std::sync::Arc;

use parlour_events::{Consumer, Failure};
use uuid::Uuid;

use crate::state::Media;

/// Everything that media listens to.
pub fn consumer(state: &Arc<Media>) -> Consumer {
    // What is kept of people comes first: the handlers behind it see it.
    let consumer = parlour_directory::handle(Consumer::new(crate::NAME));
    let consumer = chat::handle(billing::handle(consumer), state);
    erased::handle(orders::handle(consumer, state), state)
}

/// An id that has to be one.
fn id(text: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(text).map_err(Failure::poison)
}

/// Ids that have to be some.
fn ids(texts: &[String]) -> Result<Vec<Uuid>, Failure> {
    texts.iter().map(|text| id(text)).collect()
}
