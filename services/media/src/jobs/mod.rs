//! What media does by the clock. Replicas pass over each other's rows, and none of these may
//! run in the transaction that makes a job one replica's.

mod purge;
mod sweep;
mod uploads;

use std::sync::Arc;
use std::time::Duration;

use parlour_chassis::Job;
use parlour_db::DbError;

use crate::error::Error;
use crate::state::Media;

/// Rows in a batch.
const BATCH: i64 = 50;

/// All jobs.
pub fn all(state: &Arc<Media>) -> Vec<Job> {
    let half_minute = Duration::from_secs(30);
    vec![
        job(state, "purge_files", Duration::from_mins(10), purge::deleted),
        job(state, "remove_unused_blobs", half_minute, purge::unused),
        job(state, "end_shares", Duration::from_mins(10), purge::shares),
        job(state, "expire_uploads", Duration::from_mins(1), uploads::expire),
        job(state, "finish_uploads", half_minute, uploads::finish),
        job(state, "sweep_objects", Duration::from_mins(30), sweep::orphans),
    ]
}

fn job<F, Fut>(state: &Arc<Media>, name: &'static str, every: Duration, run: F) -> Job
where
    F: Fn(Arc<Media>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Error>> + Send + 'static,
{
    let state = state.clone();
    Job::everywhere(name, every, move || {
        let run = run(state.clone());
        async move { ended(run.await) }
    })
}

/// What is not the database's fault will not be better for a message in its name, but has to be seen.
fn ended(result: Result<(), Error>) -> Result<(), DbError> {
    match result {
        Ok(()) => Ok(()),
        Err(Error::Db(error)) => Err(error),
        Err(error) => {
            tracing::error!(%error, "a job cannot do its work");
            Ok(())
        }
    }
}
