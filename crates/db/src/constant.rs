//! Queries whose text is put together once.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use diesel::pg::{Pg, PgQueryBuilder};
use diesel::query_builder::{AstPass, Query, QueryBuilder as _, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// The text of each query, by its type.
static TEXTS: RwLock<Option<HashMap<TypeId, String>>> = RwLock::new(None);

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
        if let Some(text) = known.as_ref().and_then(|texts| texts.get(&id)) {
            out.push_sql(text);
            return Ok(());
        }
        drop(known);
        let mut builder = PgQueryBuilder::default();
        self.0.to_sql(&mut builder, backend)?;
        let text = builder.finish();
        out.push_sql(&text);
        let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
        texts.get_or_insert_default().insert(id, text);
        Ok(())
    }
}
