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

use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Gather};
use uuid::Uuid;

use crate::state::Notify;
use route::{Story, tell_stories};

/// Everything that notify listens to.
pub fn consumer(notify: &Arc<Notify>) -> Consumer {
    let shared = notify.clone();
    let telling =
        Gather::new(async move |tx: &mut Tx, stories: Vec<Story>| tell_stories(&shared, tx, stories).await);
    let consumer = parlour_directory::handle(Consumer::new(crate::NAME));
    let consumer = contacts::handle(consumer, notify);
    let consumer = erased::handle(consumer, notify);
    let consumer = people::handle(consumer, &telling);
    let consumer = mails::handle(consumer, notify);
    let consumer = security::handle(consumer, &telling);
    let consumer = orders::handle(consumer, &telling);
    let consumer = appointments::handle(consumer, &telling);
    let consumer = payments::handle(consumer, &telling);
    media::handle(consumer, &telling)
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
