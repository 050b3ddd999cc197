//! Files as strangers send them, and what is said of them.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops where it stands"
)]

mod animations;
mod bad_pictures;
mod clamd;
mod colours;
mod pictures;
mod recordings;
mod scanning;
mod support;
