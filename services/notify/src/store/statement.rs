//! Statements written by hand that are prepared once on a connection. `sql_query` would
//! prepare them anew each time, which the hot ones cannot afford.

/// Declares a statement with its parameters: `one` is a value, `each` one value for
/// each of many rows. The statement finds them as the columns of `given`.
macro_rules! statement {
    (
        $(#[$doc:meta])*
        $name:ident { $($field:ident: $how:ident $sql:ty => $rust:ty),+ $(,)? }
        $text:expr
        $(, returns ($($out:ty),+ $(,)?))?
    ) => {
        $(#[$doc])*
        pub(crate) struct $name { $(pub(crate) $field: statement!(@rust $how $rust)),+ }

        impl diesel::query_builder::QueryId for $name {
            type QueryId = Self;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                out.push_sql("WITH given AS (SELECT ");
                let mut first = true;
                $(
                    if !std::mem::take(&mut first) {
                        out.push_sql(", ");
                    }
                    statement!(@bind $how $sql, out, self.$field);
                    out.push_sql(concat!(" AS ", stringify!($field)));
                )+
                out.push_sql(") ");
                out.push_sql($text);
                Ok(())
            }
        }

        $(
            impl diesel::query_builder::Query for $name {
                type SqlType = ($($out,)+);
            }
        )?
    };
    (@rust one $rust:ty) => { $rust };
    (@rust each $rust:ty) => { Vec<$rust> };
    (@bind one $sql:ty, $out:ident, $value:expr) => {
        $out.push_bind_param::<$sql, _>(&$value)?;
    };
    // Behind a SELECT, PostgreSQL does not see how many they are when it plans. If it did, a plan for one row would
    // look so much cheaper than the one for any number that it would be made anew each time, for more than it saves.
    (@bind each $sql:ty, $out:ident, $value:expr) => {
        $out.push_sql("unnest((SELECT ");
        $out.push_bind_param::<diesel::sql_types::Array<$sql>, _>(&$value)?;
        $out.push_sql("))");
    };
}
