//! Identity over HTTP, on a database of each test's own. Paths mirror `src/http` and `src/events`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod admin;
mod api_tokens;
mod events;
mod general;
mod login;
mod meta;
mod passwords;
mod phone;
mod profile;
mod refresh;
mod register;
mod revocations;
mod safetalk;
mod sessions;
mod support;
mod sync;
mod tokens;
mod two_factor;

/// The services under test.
fn identity() -> [parlour_chassis::Service; 1] {
    [parlour_identity::service()]
}
