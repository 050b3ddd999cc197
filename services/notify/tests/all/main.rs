//! Notify over HTTP and events, on a database of each test's own. Paths mirror `src/http`,
//! `src/events`, `src/dispatch` and `src/jobs`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod callbacks;
mod digests;
mod dispatch;
mod emergency;
mod events;
mod general;
mod jobs;
mod lists;
mod people;
mod preferences;
mod realtime;
mod safetalk;
mod scanners;
mod sending;
mod support;
mod templates;
mod waiting;
