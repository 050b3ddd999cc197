//! Appointments: `orders.appointment.*`. The counsellor is the reader of the routes.

use parlour_contracts::orders::v1::{
    AppointmentBooked, AppointmentCancelled, AppointmentCompleted, AppointmentConfirmed, AppointmentDue,
};
use parlour_events::{Consumer, Failure, Gather, Incoming};
use parlour_http::Time;
use serde_json::json;

use super::route::Story;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    let consumer = ahead(consumer, telling);
    over(consumer, telling)
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

fn ahead(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer
        .gather(telling, |event: Incoming<AppointmentBooked>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            let story = begins(story, told.start_ms)?.carries("duration_minutes", told.duration_minutes);
            story.of(&event)
        })
        .gather(telling, |event: Incoming<AppointmentConfirmed>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            let story = begins(story, told.start_ms)?.carries("duration_minutes", told.duration_minutes);
            story.of(&event)
        })
        .gather(telling, |event: Incoming<AppointmentDue>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            let story = begins(story, told.start_ms)?.says("minutes_before", told.minutes_before);
            story.of(&event)
        })
}

fn over(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer
        .gather(telling, |event: Incoming<AppointmentCancelled>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            let story = begins(story, told.start_ms)?.actor(&told.actor_id)?;
            story.of(&event)
        })
        .gather(telling, |event: Incoming<AppointmentCompleted>| {
            let told = &event.data;
            let story = appointment(&told.appointment_id, &told.client_id, &told.counselor_id)?;
            story.of(&event)
        })
}
