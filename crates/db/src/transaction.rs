//! Transactions that carry their caller and run to their end.

use std::ops::{Deref, DerefMut};

use diesel::connection::TransactionDepthChange;
use diesel_async::{AnsiTransactionManager, SimpleAsyncConnection as _, TransactionManager};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::{Conn, Db, DbError, Lanes, Pooled, Scope};

/// An open transaction. It is a connection, so queries take it as one.
pub struct Tx {
    conn: Pooled,
    service: &'static str,
    published: Lanes,
    committed: Vec<Committed>,
}

/// What is done once a transaction has committed.
type Committed = Box<dyn FnOnce() + Send>;

impl Tx {
    pub(crate) fn new(conn: Pooled, service: &'static str) -> Self {
        Self {
            conn,
            service,
            published: Lanes::default(),
            committed: Vec::new(),
        }
    }

    /// Does what was left for the commit.
    pub(crate) fn committed(self, db: &Db) {
        if !self.published.is_empty() {
            db.published().tell(self.published);
        }
        for work in self.committed {
            work();
        }
    }

    /// The service whose schema this runs on.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Runs `work` in a savepoint: when it fails, its writes are gone and the
    /// transaction goes on.
    pub async fn savepoint<F, R, E>(&mut self, work: F) -> Result<R, E>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<R, E> + Work<&'t mut Tx, Result<R, E>> + Send,
        R: Send,
        E: From<DbError> + Send,
    {
        AnsiTransactionManager::begin_transaction(&mut *self.conn)
            .await
            .map_err(DbError::from)?;
        let before = self.committed.len();
        let result = work(self).await;
        let ended = if result.is_ok() {
            AnsiTransactionManager::commit_transaction(&mut *self.conn).await
        } else {
            self.committed.truncate(before);
            AnsiTransactionManager::rollback_transaction(&mut *self.conn).await
        };
        ended.map_err(DbError::from)?;
        result
    }

    /// Says that this lane of the outbox has new rows, so that the relay is woken after the commit.
    pub fn mark_published(&mut self, lane: i16) {
        self.published.insert(lane);
    }

    /// Does `work` right after the commit, in this process, and not at all when there is
    /// none. It must not wait for anything: hand what takes time to somebody else. A
    /// process that dies in between never does it.
    pub fn on_commit(&mut self, work: impl FnOnce() + Send + 'static) {
        self.committed.push(Box::new(work));
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}

/// An async closure whose future may move between threads. Stable Rust cannot
/// yet name that future in an `AsyncFnOnce` bound, so this says it beside it.
pub trait Work<Arg, Out>: FnOnce(Arg) -> Self::Future {
    /// What the closure returns.
    type Future: Future<Output = Out> + Send;
}

impl<F, Arg, Out, Fut> Work<Arg, Out> for F
where
    F: FnOnce(Arg) -> Fut,
    Fut: Future<Output = Out> + Send,
{
    type Future = Fut;
}

/// Commits, and fails where a statement of the transaction had failed and `work`
/// answered `Ok` even so: PostgreSQL answers COMMIT in such a transaction with a
/// rollback and no error. The statement before it does fail then, in the same round trip.
async fn commit(conn: &mut Conn) -> Result<(), DbError> {
    if let Err(error) = conn.batch_execute("SELECT 1; COMMIT").await {
        if let Err(rollback) = AnsiTransactionManager::rollback_transaction(conn).await {
            tracing::debug!(error = %rollback, "rollback failed");
        }
        return Err(error.into());
    }
    AnsiTransactionManager::transaction_manager_status_mut(conn)
        .transaction_state()?
        .change_transaction_depth(TransactionDepthChange::DecreaseDepth)?;
    Ok(())
}

/// What came of the work of a task.
pub(crate) async fn finish<R, E: From<DbError>>(task: JoinHandle<Result<R, E>>) -> Result<R, E> {
    match task.await {
        Ok(result) => result,
        Err(_) => Err(DbError::Panicked.into()),
    }
}

impl Db {
    /// The span of a transaction, in the caller's trace; the caller's own where transactions are
    /// not traced. What has no caller, such as a job that looks for work, begins no trace.
    pub(crate) fn span(&self, begin: &'static str) -> tracing::Span {
        let caller = tracing::Span::current();
        if caller.is_none() {
            return caller;
        }
        let span = tracing::info_span!(
            // By this target telemetry leaves them out where nothing collects them.
            target: "parlour_sql",
            "transaction",
            otel.kind = "client",
            otel.name = begin,
            db.system.name = "postgresql",
            db.namespace = self.service(),
        );
        if span.is_disabled() { caller } else { span }
    }

    /// Runs `work` in a read-write transaction and commits when it answers `Ok`.
    ///
    /// The transaction runs in a task of its own: it comes to its end even when
    /// the caller is dropped, because half of it would poison the connection and
    /// a client that hung up must not decide whether a commit happens.
    pub async fn write<F, R, E>(&self, scope: Scope, work: F) -> Result<R, E>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<R, E> + Work<&'t mut Tx, Result<R, E>> + Send + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.in_task("BEGIN", scope, work).await
    }

    /// Runs a write that is one statement, and so a transaction by itself, in one round trip where
    /// [`write`](Self::write) takes three. What is left to be done on its commit is done whatever `work` answers,
    /// because a statement that succeeded stands.
    ///
    /// For a function of the schema that does all of it and says itself on whose behalf. When the connection
    /// breaks under it ([`DbError::Unavailable`]) nobody knows whether it took effect: the caller has to find out,
    /// or do it again in a way that does no harm. A second statement would be a transaction of its own.
    ///
    /// Runs in a task of its own, as [`write`](Self::write) does.
    pub async fn write_one<F, R, E>(&self, work: F) -> Result<R, E>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<R, E> + Work<&'t mut Tx, Result<R, E>> + Send + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        let run = async move {
            let mut tx = Tx::new(db.conn().await?, db.service());
            let result = work(&mut tx).await;
            tx.committed(&db);
            result
        };
        finish(tokio::spawn(run.instrument(self.span("SELECT")))).await
    }

    /// Runs `work` in a read-only transaction.
    pub async fn read<F, R, E>(&self, scope: Scope, work: F) -> Result<R, E>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<R, E> + Work<&'t mut Tx, Result<R, E>> + Send + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.in_task("BEGIN READ ONLY", scope, work).await
    }

    async fn in_task<F, R, E>(&self, begin: &'static str, scope: Scope, work: F) -> Result<R, E>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<R, E> + Work<&'t mut Tx, Result<R, E>> + Send + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        let run = async move { db.run(begin, scope, work).await };
        // The task belongs to the caller's trace.
        finish(tokio::spawn(run.instrument(self.span(begin)))).await
    }

    async fn run<F, R, E>(&self, begin: &'static str, scope: Scope, work: F) -> Result<R, E>
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx) -> Result<R, E> + Work<&'t mut Tx, Result<R, E>> + Send + 'static,
        R: Send,
        E: From<DbError> + Send,
    {
        let mut tx = self.begin(begin, scope).await?;
        match work(&mut tx).await {
            Ok(result) => {
                commit(&mut tx.conn).await?;
                tx.committed(self);
                Ok(result)
            }
            Err(error) => {
                // The work's own error is what the caller has to hear; a failed
                // rollback only costs the pool this connection.
                if let Err(rollback) = AnsiTransactionManager::rollback_transaction(&mut *tx.conn).await {
                    tracing::debug!(error = %rollback, "rollback failed");
                }
                Err(error)
            }
        }
    }

    /// A connection that broke while it lay idle is found out here, by the first
    /// statement; nothing has happened yet, so another one is taken.
    async fn begin(&self, begin: &str, scope: Scope) -> Result<Tx, DbError> {
        let sql = format!("{begin}; {}", scope.settings());
        let mut attempts = 0;
        loop {
            let mut conn = self.conn().await?;
            match AnsiTransactionManager::begin_transaction_sql(&mut *conn, &sql).await {
                Ok(()) => return Ok(Tx::new(conn, self.service())),
                Err(error) => {
                    let error = DbError::from(error);
                    attempts += 1;
                    if attempts > 64 || !error.is_transient() {
                        return Err(error);
                    }
                }
            }
        }
    }
}
