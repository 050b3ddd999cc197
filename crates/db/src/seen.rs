//! Writes of one statement that stand on what was read before.

use diesel::result::QueryResult;
use tracing::Instrument as _;

use crate::fetch::ATTEMPTS;
use crate::transaction::finish;
use crate::{Conn, Db, DbError, Tx, Work};

/// How often somebody else may be faster before a write is given up. Each time one of them came through.
const RACES: u32 = 64;

impl Db {
    /// Reads with `look`, and writes what follows from it with `write`, by one statement that is a transaction by
    /// itself: two round trips where a transaction that locks what it reads takes four.
    ///
    /// As nothing is locked in between, the statement has to make sure that what it stands on is still so, such as by a
    /// version among its conditions. When it is not, and nothing was written, `write` answers `None`, and all
    /// begins again; after 64 times it is [`DbError::Contended`].
    ///
    /// `look` may be several reads that are polled together (`join!`) and so travel together, and it may be run again
    /// with another connection, when the first is dead. Both say themselves on whose behalf they run, by a
    /// [`Caller`](crate::Caller). For the rest, and for what happens when the connection breaks under the statement, see
    /// [`write_one`](Self::write_one).
    pub async fn write_seen<L, S, W, R, E>(&self, look: L, write: W) -> Result<R, E>
    where
        for<'c> L: AsyncFn(&'c Conn) -> QueryResult<S>
            + Clone
            + Work<&'c Conn, QueryResult<S>>
            + Send
            + Sync
            + 'static,
        for<'t> W: AsyncFn((&'t mut Tx, S)) -> Result<Option<R>, E>
            + Clone
            + Work<(&'t mut Tx, S), Result<Option<R>, E>>
            + Send
            + Sync
            + 'static,
        S: Send + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        let run = async move {
            for _ in 0..RACES {
                let (mut tx, seen) = db.looked(&look).await?;
                let written = write.clone()((&mut tx, seen)).await;
                tx.committed(&db);
                if let Some(written) = written? {
                    return Ok(written);
                }
            }
            Err(outrun())
        };
        finish(tokio::spawn(run.instrument(self.span("WRITE")))).await
    }

    /// What there is to see, and the connection that it was seen by, which is alive.
    async fn looked<L, S>(&self, look: &L) -> Result<(Tx, S), DbError>
    where
        for<'c> L: AsyncFn(&'c Conn) -> QueryResult<S> + Clone + Work<&'c Conn, QueryResult<S>>,
    {
        let mut attempts = 0;
        loop {
            let conn = self.conn().await?;
            let error = match look.clone()(&conn).await {
                Ok(seen) => return Ok((Tx::new(conn, self.service()), seen)),
                Err(error) => DbError::from(error),
            };
            attempts += 1;
            if attempts > ATTEMPTS || !matches!(error, DbError::Unavailable(_)) {
                return Err(error);
            }
            conn.discard();
        }
    }
}

impl Tx {
    /// The same as [`Db::write_seen`] within a transaction, which does not end with it.
    pub async fn write_seen<L, S, W, R, E>(&mut self, look: L, write: W) -> Result<R, E>
    where
        for<'c> L: AsyncFn(&'c Conn) -> QueryResult<S> + Clone + Work<&'c Conn, QueryResult<S>>,
        for<'t> W: AsyncFn((&'t mut Tx, S)) -> Result<Option<R>, E>
            + Clone
            + Work<(&'t mut Tx, S), Result<Option<R>, E>>,
        E: From<DbError>,
    {
        for _ in 0..RACES {
            let seen = look.clone()(&*self).await.map_err(DbError::from)?;
            if let Some(written) = write.clone()((&mut *self, seen)).await? {
                return Ok(written);
            }
        }
        Err(outrun())
    }
}

fn outrun<E: From<DbError>>() -> E {
    DbError::Contended("others were faster each time".to_owned()).into()
}
