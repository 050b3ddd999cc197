//! Reads of one statement, which brings its caller along.

use std::sync::Arc;

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Bool, Text};
use tracing::Instrument as _;

use crate::fetch::ATTEMPTS;
use crate::{Conn, Db, DbError, Scope, Work};

/// A condition that is always true and sets on whose behalf the statement around it runs, until
/// that statement ends. It belongs into the outermost `WHERE`: as it names no column, PostgreSQL
/// checks it once and before it reads any row (a "One-Time Filter" in its plan).
///
/// Not for a table that is partitioned by what its policies compare: PostgreSQL chooses among
/// partitions before it runs a statement, and would find none.
#[derive(Clone, Debug)]
pub struct Caller {
    setting: &'static str,
    value: String,
}

/// A [`Caller`] in SQL written by hand; [`Statement::for_caller`](crate::Statement::for_caller) gives its `?` their values.
#[macro_export]
macro_rules! caller {
    () => {
        "(SELECT set_config(?, ?, true)) IS NOT NULL"
    };
}

impl Caller {
    /// The name of the setting, and its value.
    pub(crate) fn setting(&self) -> (&'static str, &str) {
        (self.setting, &self.value)
    }
}

impl From<Scope> for Caller {
    fn from(scope: Scope) -> Self {
        let (setting, value) = match scope {
            Scope::Person(id) => ("parlour.user", id.to_string()),
            Scope::Service => ("parlour.service", "on".to_owned()),
            Scope::Nobody => ("parlour.user", String::new()),
        };
        Self { setting, value }
    }
}

impl Expression for Caller {
    type SqlType = Bool;
}

impl<From> AppearsOnTable<From> for Caller {}

impl<From> SelectableExpression<From> for Caller {}

impl<Grouping> ValidGrouping<Grouping> for Caller {
    type IsAggregate = is_aggregate::Never;
}

impl QueryId for Caller {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for Caller {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(SELECT set_config(");
        out.push_bind_param::<Text, _>(&self.setting)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.value)?;
        out.push_sql(", true)) IS NOT NULL");
        Ok(())
    }
}

/// By which connection a read goes.
#[derive(Clone, Copy)]
enum Way {
    Shared,
    Alone,
}

impl Db {
    /// Runs a read of one statement without a transaction around it, at half of what that costs
    /// PostgreSQL. The statement says itself on whose behalf it runs, by a [`Caller`] among its
    /// conditions; one that does not say it sees no personal row. It may be run again with another
    /// connection, when the first is dead.
    ///
    /// For lookups that take PostgreSQL less than a millisecond, whatever is asked for: those that are
    /// under way in a runtime at the same time share a connection, and each waits for those before it.
    ///
    /// ```no_run
    /// # use diesel::{ExpressionMethods as _, QueryDsl as _};
    /// # use diesel_async::RunQueryDsl as _;
    /// # use parlour_db::{Caller, Conn, Db, DbError, Scope};
    /// # diesel::table! { goals (id) { id -> BigInt, title -> Text } }
    /// # async fn example(db: &Db, person: uuid::Uuid) -> Result<Vec<String>, DbError> {
    /// db.ask(async move |mut conn: &Conn| {
    ///     let caller = Caller::from(Scope::Person(person));
    ///     goals::table.filter(caller).select(goals::title).load(&mut conn).await
    /// })
    /// .await
    /// # }
    /// ```
    pub async fn ask<F, R>(&self, query: F) -> Result<R, DbError>
    where
        for<'c> F: AsyncFn(&'c Conn) -> QueryResult<R> + Clone + Work<&'c Conn, QueryResult<R>>,
    {
        self.asked(query, Way::Shared).await
    }

    /// Runs reads as [`ask`](Self::ask) does, on a connection that is theirs until they are done: for what takes
    /// PostgreSQL longer than a lookup, and for several that are polled together (`join!`) and so travel together.
    /// Each sees what is committed when it begins, as in [`Db::fetch`].
    pub async fn ask_alone<F, R>(&self, query: F) -> Result<R, DbError>
    where
        for<'c> F: AsyncFn(&'c Conn) -> QueryResult<R> + Clone + Work<&'c Conn, QueryResult<R>>,
    {
        self.asked(query, Way::Alone).await
    }

    async fn asked<F, R>(&self, query: F, way: Way) -> Result<R, DbError>
    where
        for<'c> F: AsyncFn(&'c Conn) -> QueryResult<R> + Clone + Work<&'c Conn, QueryResult<R>>,
    {
        let run = async {
            let mut attempts = 0;
            loop {
                let conn = match way {
                    Way::Shared => self.pool().line().await?,
                    Way::Alone => Arc::new(self.conn().await?),
                };
                let error = match query.clone()(&conn).await {
                    Ok(found) => return Ok(found),
                    Err(error) => DbError::from(error),
                };
                attempts += 1;
                if attempts > ATTEMPTS || !matches!(error, DbError::Unavailable(_)) {
                    return Err(error);
                }
                self.pool().hang_up(conn);
            }
        };
        run.instrument(self.span("SELECT")).await
    }
}
