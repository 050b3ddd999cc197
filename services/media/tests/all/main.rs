//! Media over HTTP and by events, on a database and a folder of each test's own. Paths
//! mirror `src/http`, `src/events` and `src/jobs`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod bad_input;
mod derived;
mod events;
mod files;
mod general;
mod jobs;
mod nginx;
mod privacy;
mod quarantine;
mod quotas;
mod s3;
mod scanners;
mod scans;
mod serving;
mod shares;
mod support;
mod tus;
mod uploads;

/// The services under test.
fn services() -> [parlour_chassis::Service; 2] {
    [parlour_identity::service(), parlour_media::service()]
}
