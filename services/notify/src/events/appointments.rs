//! Appointments: `orders.appointment.*`. The counsellor is the reader of the routes.

use std::sync::Arc;

use parlour_contracts::orders::v1::{
    AppointmentBooked, AppointmentCancelled, AppointmentCompleted, AppointmentConfirmed, AppointmentDue,
};
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};
use parlour_http::Time;
use serde_json::json;

use super::route::Story;
use crate::state::Notify;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let consumer = ahead(consumer, notify);
    over(consumer, notify)
}

fn appointment(id: &str, client: &str, counselor: &str) -> Result<Story, Failure> {
    Story::default()
        .says("appointment_id", id)
        .person("client", client)?
        .person("reader", counselor)
}

/// With the time at which it begins.
fn begins(story: Story, start_ms: i64) -> Result<Story, Failure> {
    let start = chrono::DateTime::from_timestamp_millis(start_ms).map(Time::from);
    story.carries("start_at", json!(start)).at("starts", start_ms)
}

fn ahead(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let (booked, confirmed, due) = (notify.clone(), notify.clone(), notify.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<AppointmentBooked>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            let story = begins(story, told.start_ms)?.carries("duration_minutes", told.duration_minutes);
            story.tell(&booked, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<AppointmentConfirmed>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            let story = begins(story, told.start_ms)?.carries("duration_minutes", told.duration_minutes);
            story.tell(&confirmed, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<AppointmentDue>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            let story = begins(story, told.start_ms)?.says("minutes_before", told.minutes_before);
            story.tell(&due, tx, &event).await
        })
}

fn over(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let (cancelled, completed) = (notify.clone(), notify.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<AppointmentCancelled>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            let story = begins(story, told.start_ms)?.actor(&told.actor_id)?;
            story.tell(&cancelled, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<AppointmentCompleted>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            story.tell(&completed, tx, &event).await
        })
}
