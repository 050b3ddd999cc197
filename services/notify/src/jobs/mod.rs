//! What notify does by the clock.

mod expand;
mod repeat;
mod sweeps;

use std::sync::Arc;
use std::time::Duration;

use parlour_chassis::Job;

use crate::state::Notify;

/// All jobs. Each replica takes what no other has.
pub fn all(notify: &Arc<Notify>) -> Vec<Job> {
    vec![
        job(notify, "expand_jobs", Duration::from_secs(1), expand::run),
        job(notify, "repeat_emergencies", Duration::from_secs(2), repeat::run),
        job(
            notify,
            "expire_notifications",
            Duration::from_secs(15),
            sweeps::expire,
        ),
        job(
            notify,
            "purge_notifications",
            Duration::from_mins(30),
            sweeps::purge,
        ),
        job(notify, "sweep_rooms", Duration::from_mins(1), sweeps::rooms),
    ]
}

/// Replicas pass over each other's rows, and none of these may run in the transaction that
/// makes a job one replica's.
fn job<F, Fut>(notify: &Arc<Notify>, name: &'static str, every: Duration, run: F) -> Job
where
    F: Fn(Arc<Notify>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), parlour_db::DbError>> + Send + 'static,
{
    let notify = notify.clone();
    Job::everywhere(name, every, move || run(notify.clone()))
}
