//! Chat over HTTP and by events, on a database of each test's own. Paths mirror `src/http`, `src/events` and `src/jobs`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod general;
mod messages;
mod support;

/// The services under test.
fn services() -> [parlour_chassis::Service; 2] {
    [parlour_identity::service(), parlour_chat::service()]
}
