//! What happens by the clock. Each batch is a transaction of its own, and replicas
//! pass over each other's rows.

mod appointments;
mod assignment;
mod overdue;

use std::sync::Arc;
use std::time::Duration;

use parlour_chassis::Job;
use parlour_db::DbError;

use crate::error::Error;
use crate::state::Orders;

/// Rows in a batch.
const BATCH: i64 = 50;

/// All jobs.
pub fn all(state: &Arc<Orders>) -> Vec<Job> {
    let every = Duration::from_secs(30);
    let (giving, waiting, reminding, ending) = (state.clone(), state.clone(), state.clone(), state.clone());
    vec![
        Job::new("assign_orders", every, move || {
            let state = giving.clone();
            async move { ended(assignment::run(&state).await) }
        }),
        Job::new("tell_overdue", every, move || {
            let state = waiting.clone();
            async move { ended(overdue::run(&state).await) }
        }),
        Job::new("remind_of_appointments", every, move || {
            let state = reminding.clone();
            async move { ended(appointments::remind(&state).await) }
        }),
        Job::new("end_appointments", every, move || {
            let state = ending.clone();
            async move { ended(appointments::end(&state).await) }
        }),
    ]
}

/// What is not the database's fault will not be better in half a minute, but has to be seen.
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
