//! Chat over HTTP and by events, on a database of each test's own. Paths mirror `src/http`, `src/events` and `src/jobs`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod bad_input;
mod bookings;
mod general;
mod keys;
mod lost_answers;
mod messages;
mod moderation;
mod plans;
mod privacy;
mod pushes;
mod safetalk;
mod sessions;
mod support;
mod uploads;

/// The services under test.
fn services() -> [parlour_chassis::Service; 2] {
    [parlour_identity::service(), parlour_chat::service()]
}
