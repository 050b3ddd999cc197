//! Events of other services that change conversations.

mod bookings;
mod erased;
mod files;
mod moderation;

use std::sync::Arc;

use parlour_events::{Consumer, Failure};
use uuid::Uuid;

use crate::state::Chat;

/// Everything that chat listens to.
pub fn consumer(state: &Arc<Chat>) -> Consumer {
    // What is kept of people comes first: the handlers behind it see it.
    let consumer = parlour_directory::handle(Consumer::new(crate::NAME));
    let consumer = bookings::handle(consumer, state);
    let consumer = moderation::handle(consumer, state);
    let consumer = files::handle(consumer, state);
    erased::handle(consumer, state)
}

/// An id that has to be one.
fn id(text: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(text).map_err(Failure::poison)
}
