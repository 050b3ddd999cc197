//! SQL written by hand, for statements that do several things at once. Unlike
//! `sql_query` it is prepared once for each connection.

use std::borrow::Cow;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Double, Integer, Nullable, SmallInt, Text, Timestamptz, Untyped,
    Uuid as SqlUuid,
};
use uuid::Uuid;

use crate::Caller;

/// A value in a statement.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Value<'v> {
    Id(Option<Uuid>),
    Ids(&'v [Uuid]),
    Text(Option<&'v str>),
    Texts(&'v [&'v str]),
    Bytes(Option<&'v [u8]>),
    Int(Option<i32>),
    Long(Option<i64>),
    Small(i16),
    Double(f64),
    Longs(&'v [i64]),
    Blobs(&'v [Vec<u8>]),
    Bool(bool),
    Time(Option<DateTime<Utc>>),
}

macro_rules! value {
    ($($from:ty => $variant:ident($convert:expr),)+) => {
        $(impl<'v> From<$from> for Value<'v> {
            fn from(value: $from) -> Self {
                Self::$variant($convert(value))
            }
        })+
    };
}

value! {
    Uuid => Id(Some),
    Option<Uuid> => Id(std::convert::identity),
    &'v [Uuid] => Ids(std::convert::identity),
    &'v str => Text(Some),
    Option<&'v str> => Text(std::convert::identity),
    &'v [&'v str] => Texts(std::convert::identity),
    Option<&'v [u8]> => Bytes(std::convert::identity),
    i32 => Int(Some),
    Option<i32> => Int(std::convert::identity),
    i64 => Long(Some),
    Option<i64> => Long(std::convert::identity),
    i16 => Small(std::convert::identity),
    f64 => Double(std::convert::identity),
    &'v [i64] => Longs(std::convert::identity),
    &'v [Vec<u8>] => Blobs(std::convert::identity),
    &'v [u8] => Bytes(Some),
    bool => Bool(std::convert::identity),
    DateTime<Utc> => Time(Some),
    Option<DateTime<Utc>> => Time(std::convert::identity),
}

/// A statement with a value for each `?` in it. Its rows are found by name, or with a
/// tuple of types ([`Statement::of`]) by their places.
#[derive(Debug)]
pub struct Statement<'v, T = Untyped> {
    sql: Cow<'static, str>,
    values: Vec<Value<'v>>,
    rows: PhantomData<fn() -> T>,
}

impl Statement<'_> {
    /// Begins with `sql`; rows are found by name.
    pub fn new(sql: &'static str) -> Self {
        Self::of(sql)
    }
}

impl<'v, T> Statement<'v, T> {
    /// Begins with `sql`, whose rows have columns of the types `T`.
    pub fn of(sql: &'static str) -> Self {
        Self {
            sql: Cow::Borrowed(sql),
            values: Vec::with_capacity(16),
            rows: PhantomData,
        }
    }

    /// Goes on with `sql`.
    #[must_use]
    pub fn and(mut self, sql: &str) -> Self {
        self.sql.to_mut().push_str(sql);
        self
    }

    /// Gives the next two `?`, which are those of [`caller!`](crate::caller), their values.
    #[must_use]
    pub fn for_caller(self, caller: &'v Caller) -> Self {
        let (setting, value) = caller.setting();
        self.with(setting).with(value)
    }

    /// Gives the next `?` its value.
    #[must_use]
    pub fn with(mut self, value: impl Into<Value<'v>>) -> Self {
        self.values.push(value.into());
        self
    }
}

/// No static id: the text is what a prepared statement is found by.
impl<T> QueryId for Statement<'_, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> Query for Statement<'_, T> {
    type SqlType = T;
}

impl<T> QueryFragment<Pg> for Statement<'_, T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut values = self.values.iter();
        for (index, part) in self.sql.split('?').enumerate() {
            if index > 0 {
                let value = values.next().ok_or_else(|| miscounted("too few"))?;
                value.push(&mut out)?;
            }
            out.push_sql(part);
        }
        match values.next() {
            None => Ok(()),
            Some(_) => Err(miscounted("too many")),
        }
    }
}

impl Value<'_> {
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Id(id) => out.push_bind_param::<Nullable<SqlUuid>, _>(id),
            Self::Ids(ids) => out.push_bind_param::<Array<SqlUuid>, _>(ids),
            Self::Text(text) => out.push_bind_param::<Nullable<Text>, _>(text),
            Self::Texts(texts) => out.push_bind_param::<Array<Text>, _>(texts),
            Self::Bytes(bytes) => out.push_bind_param::<Nullable<Binary>, _>(bytes),
            Self::Int(int) => out.push_bind_param::<Nullable<Integer>, _>(int),
            Self::Long(long) => out.push_bind_param::<Nullable<BigInt>, _>(long),
            Self::Small(small) => out.push_bind_param::<SmallInt, _>(small),
            Self::Double(double) => out.push_bind_param::<Double, _>(double),
            Self::Longs(longs) => out.push_bind_param::<Array<BigInt>, _>(longs),
            Self::Blobs(blobs) => out.push_bind_param::<Array<Binary>, _>(blobs),
            Self::Bool(bool) => out.push_bind_param::<Bool, _>(bool),
            Self::Time(time) => out.push_bind_param::<Nullable<Timestamptz>, _>(time),
        }
    }
}

fn miscounted(how: &str) -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(format!("{how} values for a statement").into())
}
