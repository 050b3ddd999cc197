//! Events of other services: who hears of them is data (`routes`), what they say is here.

mod appointments;
mod contacts;
mod erased;
mod mails;
mod media;
mod orders;
mod payments;
mod people;
mod route;
mod security;

use std::sync::Arc;

use parlour_events::{Consumer, Failure};
use uuid::Uuid;

use crate::state::Notify;

/// Everything that notify listens to.
pub fn consumer(notify: &Arc<Notify>) -> Consumer {
    let consumer = parlour_directory::handle(Consumer::new(crate::NAME));
    let consumer = contacts::handle(consumer, notify);
    let consumer = erased::handle(consumer, notify);
    let consumer = people::handle(consumer, notify);
    let consumer = mails::handle(consumer, notify);
    let consumer = security::handle(consumer, notify);
    let consumer = orders::handle(consumer, notify);
    let consumer = appointments::handle(consumer, notify);
    let consumer = payments::handle(consumer, notify);
    media::handle(consumer, notify)
}

fn id(text: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(text).map_err(Failure::poison)
}

/// An id that may be left out.
fn some_id(text: &str) -> Result<Option<Uuid>, Failure> {
    if text.is_empty() {
        Ok(None)
    } else {
        id(text).map(Some)
    }
}
