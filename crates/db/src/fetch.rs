//! Reads in one round trip.

use std::panic::AssertUnwindSafe;

use diesel_async::SimpleAsyncConnection as _;
use futures_util::FutureExt as _;
use futures_util::future::join;
use tokio::sync::oneshot;
use tracing::Instrument as _;

use crate::{Conn, Db, DbError, Pooled, Scope, Work};

/// How many connections that turn out to be dead are replaced by another.
pub(crate) const ATTEMPTS: u32 = 64;

impl Db {
    /// Runs `query` in a read-only transaction as [`Db::read`] does, in a single round trip
    /// before the answer: what begins the transaction and the first query travel together,
    /// and its end is not waited for. Queries that are polled together (`join!`) travel
    /// together too. It may be called again with another connection, when the first is dead.
    ///
    /// ```no_run
    /// # use diesel::QueryDsl as _;
    /// # use diesel_async::RunQueryDsl as _;
    /// # use parlour_db::{Conn, Db, DbError, Scope};
    /// # diesel::table! { goals (id) { id -> BigInt, title -> Text } }
    /// # async fn example(db: &Db, person: uuid::Uuid) -> Result<Vec<String>, DbError> {
    /// db.fetch(Scope::Person(person), async move |mut conn: &Conn| {
    ///     goals::table.select(goals::title).load(&mut conn).await.map_err(DbError::from)
    /// })
    /// .await
    /// # }
    /// ```
    pub async fn fetch<F, R, E>(&self, scope: Scope, query: F) -> Result<R, E>
    where
        for<'c> F:
            AsyncFn(&'c Conn) -> Result<R, E> + Clone + Work<&'c Conn, Result<R, E>> + Send + Sync + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let db = self.clone();
        let run = async move {
            match db.begun(scope, &query).await {
                Ok((conn, result)) => {
                    // Nobody is there any more? The transaction is ended all the same.
                    drop(answer.send(result));
                    end(conn).await;
                }
                Err(error) => drop(answer.send(Err(error.into()))),
            }
        };
        // In a task of its own: a caller that is dropped must not leave a transaction open.
        tokio::spawn(run.instrument(self.span("BEGIN READ ONLY")));
        match answered.await {
            Ok(result) => result,
            Err(_) => Err(DbError::Panicked.into()),
        }
    }

    async fn begun<F, R, E>(&self, scope: Scope, query: &F) -> Result<(Pooled, Result<R, E>), DbError>
    where
        for<'c> F: AsyncFn(&'c Conn) -> Result<R, E> + Clone + Work<&'c Conn, Result<R, E>>,
    {
        let prologue = format!("BEGIN READ ONLY; {}", scope.settings());
        let mut attempts = 0;
        loop {
            let conn = self.conn().await?;
            let mut first: &Conn = &conn;
            // Polled in this order, so that nothing of the query is sent before the beginning.
            // Were the beginning refused, the caller would not be set, and no personal row seen.
            let begun = first.batch_execute(&prologue);
            let result = AssertUnwindSafe(query.clone()(&conn)).catch_unwind();
            match join(begun, result).await {
                (Ok(()), Ok(result)) => return Ok((conn, result)),
                (Ok(()), Err(_)) => {
                    conn.discard();
                    return Err(DbError::Panicked);
                }
                (Err(error), _) => {
                    conn.discard();
                    let error = DbError::from(error);
                    attempts += 1;
                    if attempts > ATTEMPTS || !error.is_transient() {
                        return Err(error);
                    }
                }
            }
        }
    }
}

/// Ends the transaction. A statement of it that failed has rolled it back already; COMMIT ends that as well.
async fn end(mut conn: Pooled) {
    if conn.batch_execute("COMMIT").await.is_err() {
        conn.discard();
    }
}
