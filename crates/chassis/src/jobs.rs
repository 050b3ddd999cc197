//! What a service does by the clock. Of several replicas one does it.

use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl as _;
use futures_util::future::BoxFuture;
use parlour_db::{Db, DbError, Scope, Tx};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// A process that starts does its jobs for the first time within this, however long they pause:
/// else what is restarted more often than that would never do them.
const SOON: Duration = Duration::from_mins(1);

/// A piece of work that is done again and again.
#[derive(Clone)]
pub struct Job {
    /// Its name in logs and metrics.
    pub name: &'static str,
    /// The time between the end of one run and the start of the next; before the first one a
    /// minute at most.
    pub every: Duration,
    /// Whether every replica does it for itself.
    pub everywhere: bool,
    /// One run. It must be safe to cut off and to do again.
    pub run: Arc<dyn Fn() -> BoxFuture<'static, Result<(), DbError>> + Send + Sync>,
    /// Held by the run that is under way in this process.
    turn: Arc<Mutex<()>>,
}

impl Job {
    /// A job.
    pub fn new<F, Fut>(name: &'static str, every: Duration, run: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), DbError>> + Send + 'static,
    {
        let run = Arc::new(move || -> BoxFuture<'static, _> { Box::pin(run()) });
        Self {
            name,
            every,
            everywhere: false,
            run,
            turn: Arc::default(),
        }
    }

    /// A job that every replica does for itself.
    pub fn everywhere<F, Fut>(name: &'static str, every: Duration, run: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), DbError>> + Send + 'static,
    {
        Self {
            everywhere: true,
            ..Self::new(name, every, run)
        }
    }

    /// Runs it until `stop`.
    pub(crate) async fn repeat(self, db: Db, stop: CancellationToken) {
        for pause in pauses(self.every) {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            if let Err(error) = self.once(&db).await {
                tracing::warn!(job = self.name, service = db.service(), %error, "the job failed and is tried again");
            }
        }
    }

    /// One run, behind the one that may be under way in this process: who asked for it finds everything done that
    /// there was to do when they asked. A transaction-scoped advisory lock makes it one replica's; it ends with
    /// the connection, however that ends.
    pub(crate) async fn once(&self, db: &Db) -> Result<(), DbError> {
        let _turn = self.turn.lock().await;
        if self.everywhere {
            return (self.run)().await;
        }
        let key = format!("parlour.job.{}.{}", db.service(), self.name);
        let run = self.run.clone();
        db.write(Scope::Nobody, async move |tx: &mut Tx| -> Result<(), DbError> {
            let mine: bool = diesel::select(
                diesel::dsl::sql::<Bool>("pg_try_advisory_xact_lock(hashtextextended(")
                    .bind::<Text, _>(key)
                    .sql(", 0))"),
            )
            .get_result(tx)
            .await?;
            if mine { run().await } else { Ok(()) }
        })
        .await
    }
}

/// The pauses before the runs of what is done every so often.
fn pauses(every: Duration) -> impl Iterator<Item = Duration> {
    std::iter::once(every.min(SOON)).chain(std::iter::repeat(every))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_done_soon_after_the_start_and_then_as_often_as_it_says() {
        let seconds = |every| {
            pauses(Duration::from_secs(every))
                .take(3)
                .map(|pause| pause.as_secs())
        };
        assert!(seconds(3600).eq([60, 3600, 3600]));
        assert!(seconds(1).eq([1, 1, 1]));
    }
}
