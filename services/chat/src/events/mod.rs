//! Events of other services that change conversations.

use std::sync::Arc;

use parlour_events::{Consumer, Failure};
use uuid::Uuid;

use crate::state::Chat;

/// Everything that chat listens to.
pub fn consumer(_state: &Arc<Chat>) -> Consumer {
    // What is kept of people comes first: the handlers behind it see it.
    parlour_directory::handle(Consumer::new(crate::NAME))
}

/// An id that has to be one.
fn id(text: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(text).map_err(Failure::poison)
}
