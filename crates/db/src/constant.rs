//! Queries whose text is put together once.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use diesel::pg::{Pg, PgQueryBuilder};
use diesel::query_builder::{AstPass, Query, QueryBuilder as _, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// The text of each query, by its type.
static TEXTS: LazyLock<RwLock<HashMap<TypeId, String>>> = LazyLock::new(RwLock::default);

/// A query whose type says all of its text, for those that run most often: to quote each column's
/// name anew takes longer than to send the query. One whose text may differ is put together as ever.
#[derive(Clone, Copy, Debug)]
pub struct Constant<Q>(pub Q);

impl<Q: QueryId> QueryId for Constant<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: Query> Query for Constant<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryFragment<Pg> + QueryId> QueryFragment<Pg> for Constant<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn to_sql(&self, out: &mut PgQueryBuilder, backend: &Pg) -> QueryResult<()> {
        let Some(id) = Q::query_id() else {
            return self.0.to_sql(out, backend);
        };
        let known = TEXTS.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(&id) {
            out.push_sql(text);
            return Ok(());
        }
        drop(known);
        let mut builder = PgQueryBuilder::default();
        self.0.to_sql(&mut builder, backend)?;
        let text = builder.finish();
        out.push_sql(&text);
        let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
        texts.insert(id, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Says how often it was put together. `KEPT` as a type with one text would be.
    #[derive(Clone, Copy)]
    struct Counting<'n, const KEPT: bool>(&'n AtomicU32);

    impl<const KEPT: bool> QueryId for Counting<'_, KEPT> {
        type QueryId = Counting<'static, KEPT>;
        const HAS_STATIC_QUERY_ID: bool = KEPT;
    }

    impl<const KEPT: bool> QueryFragment<Pg> for Counting<'_, KEPT> {
        fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
            out.push_sql(&format!("SELECT {}", self.0.fetch_add(1, Ordering::Relaxed)));
            Ok(())
        }
    }

    fn text<const KEPT: bool>(query: Counting<'_, KEPT>) -> String {
        let mut builder = PgQueryBuilder::default();
        Constant(query).to_sql(&mut builder, &Pg).unwrap();
        builder.finish()
    }

    #[test]
    fn a_text_is_put_together_once() {
        let times = AtomicU32::new(0);
        let query = Counting::<true>(&times);
        assert_eq!([text(query), text(query)], ["SELECT 0", "SELECT 0"]);
    }

    #[test]
    fn a_text_that_may_differ_is_put_together_each_time() {
        let times = AtomicU32::new(0);
        let query = Counting::<false>(&times);
        assert_eq!([text(query), text(query)], ["SELECT 0", "SELECT 1"]);
    }
}
