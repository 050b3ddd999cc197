//! What a service does by the clock. Of several replicas one does it.

use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl as _;
use futures_util::future::BoxFuture;
use parlour_db::{Db, DbError, Scope, Tx};
use tokio_util::sync::CancellationToken;

/// A piece of work that is done again and again.
#[derive(Clone)]
pub struct Job {
    /// Its name in logs and metrics.
    pub name: &'static str,
    /// The time between the end of one run and the start of the next.
    pub every: Duration,
    /// Whether every replica does it for itself.
    pub everywhere: bool,
    /// One run. It must be safe to cut off and to do again.
    pub run: Arc<dyn Fn() -> BoxFuture<'static, Result<(), DbError>> + Send + Sync>,
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
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.every) => {}
            }
            if let Err(error) = self.once(&db).await {
                tracing::warn!(job = self.name, service = db.service(), %error, "the job failed and is tried again");
            }
        }
    }

    /// A transaction-scoped advisory lock makes it one replica's; it ends with the connection, however that ends.
    pub(crate) async fn once(&self, db: &Db) -> Result<(), DbError> {
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
