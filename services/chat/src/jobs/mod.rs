//! What happens by the clock. Each batch is a transaction of its own, and replicas
//! pass over each other's rows.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use parlour_chassis::Job;
use parlour_db::{DbError, Scope, Tx};

use crate::error::Error;
use crate::state::Chat;
use crate::store::{held, keys, sessions};

/// Rows in a batch.
const BATCH: i64 = 100;

/// All jobs.
pub fn all(state: &Arc<Chat>) -> Vec<Job> {
    let (ending, sweeping) = (state.clone(), state.clone());
    vec![
        Job::new("end_sessions", Duration::from_secs(30), move || {
            let state = ending.clone();
            async move { ended(end_sessions(&state).await) }
        }),
        Job::new("sweep", Duration::from_mins(10), move || {
            let state = sweeping.clone();
            async move { ended(sweep(&state).await) }
        }),
    ]
}

/// Ends conversations whose time is over.
async fn end_sessions(state: &Chat) -> Result<(), Error> {
    loop {
        let shared = state.clone();
        let done = state
            .db
            .write(Scope::Service, async move |tx: &mut Tx| -> Result<usize, Error> {
                let due = sessions::lock_due(tx, shared.now(), BATCH).await?;
                for session in &due {
                    shared.end_session(tx, *session, "").await?;
                }
                Ok(due.len())
            })
            .await?;
        if done == 0 {
            return Ok(());
        }
    }
}

/// Forgets files that nobody sent within a day, and keys that were handed out a quarter ago.
async fn sweep(state: &Chat) -> Result<(), Error> {
    let now = state.now();
    loop {
        let done = state
            .db
            .write(Scope::Service, async move |tx: &mut Tx| -> Result<usize, Error> {
                let files = held::sweep_files(tx, now - TimeDelta::days(1), BATCH).await?;
                let keys = keys::sweep(tx, now - TimeDelta::days(90), BATCH).await?;
                Ok(files + keys)
            })
            .await?;
        if done == 0 {
            return Ok(());
        }
    }
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
