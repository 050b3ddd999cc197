//! Saying something, in one statement.

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    BigInt, Binary, Bool, Double, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Db, DbError};
use parlour_events::Draft;
use uuid::Uuid;

use super::statement::Statement;
use crate::domain::kinds::MessageKind;
use crate::error::Error;
use crate::message::{Row, State};
use crate::profile::{Profile, ProfileTypes};

/// The limit of somebody's messages.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Whose.
    pub id: Vec<u8>,
    /// Within how many seconds.
    pub window: f64,
    /// How many there may be.
    pub most: i32,
}

/// Where somebody is with their limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// Messages within the window.
    pub used: i32,
    /// Seconds until there is one less.
    pub wait: f64,
}

/// What is said.
#[derive(Debug)]
#[expect(missing_docs, reason = "as the function's parameters in the migration")]
pub struct Saying<'s> {
    pub session_id: Uuid,
    pub sender_id: Uuid,
    pub id: Uuid,
    pub client_id: Option<&'s str>,
    pub again: bool,
    pub kind: MessageKind,
    pub sealed: &'s [u8],
    pub file: Option<(Uuid, i64)>,
    pub review: bool,
    pub most_held: i32,
    pub now: DateTime<Utc>,
    pub bucket: Option<&'s Bucket>,
    pub event: Draft,
}

/// What the database says to it.
#[derive(Debug)]
#[expect(missing_docs, reason = "as the function's answers in the migration")]
pub struct Said {
    pub outcome: String,
    pub count: Count,
    session_id: Uuid,
    sender_id: Uuid,
    row: Answered,
    profile: Profile,
}

type Answered = (
    Option<Uuid>,
    Option<i64>,
    Option<DateTime<Utc>>,
    Option<String>,
    Option<Vec<u8>>,
    Option<Uuid>,
    Option<i64>,
);

type Counted = (Option<i32>, Option<f64>);

type Types = (
    Text,
    (Nullable<Integer>, Nullable<Double>),
    (
        Nullable<SqlUuid>,
        Nullable<BigInt>,
        Nullable<Timestamptz>,
        Nullable<Text>,
        Nullable<Binary>,
        Nullable<SqlUuid>,
        Nullable<BigInt>,
    ),
    ProfileTypes,
);

pub(super) type ProfileRow = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The profile in a row.
pub(super) fn profile(row: ProfileRow) -> Profile {
    Profile {
        username: row.0,
        display_name: row.1,
        first_name: row.2,
        last_name: row.3,
        avatar_url: row.4,
    }
}

impl Said {
    /// The message, which it has when it was stored, now or before.
    pub fn row(self) -> Result<Row, Error> {
        let (Some(id), seq, Some(created_at), Some(kind), sealed, file_id, file_size) = self.row else {
            return Err(DbError::NotFound.into());
        };
        Ok(Row {
            session_id: self.session_id,
            seq,
            id,
            sender_id: self.sender_id,
            client_id: None,
            kind,
            state: match (seq, &sealed) {
                (None, _) => State::Held,
                (Some(_), None) => State::Rejected,
                (Some(_), Some(_)) => State::Visible,
            },
            sealed,
            file_id,
            file_size,
            created_at,
            profile: self.profile.into(),
        })
    }
}

/// Says it. The function asks itself who may.
pub async fn say(conn: &mut Conn, saying: &Saying<'_>) -> Result<Said, DbError> {
    let given = saying.client_id.and_then(|text| Uuid::try_parse(text).ok());
    // With an id of the sender's it is found by that one.
    let same = given.or(saying.again.then_some(saying.id));
    let (bucket, window, most) = match saying.bucket {
        Some(bucket) => (Some(bucket.id.as_slice()), bucket.window, bucket.most),
        None => (None, 0.0, 0),
    };
    let statement = Statement::<Types>::of(
        "SELECT outcome, used, wait, message_id, seq, sent_at, message_kind, message_sealed, message_file, \
         message_size, username, display_name, first_name, last_name, avatar_url \
         FROM send_message(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .with(saying.session_id)
    .with(saying.sender_id)
    .with(saying.id)
    .with(saying.client_id)
    .with(same)
    .with(saying.kind.name())
    .with(saying.sealed)
    .with(saying.file.map(|(id, _)| id))
    .with(saying.file.map(|(_, size)| size))
    .with(saying.review)
    .with(saying.most_held)
    .with(saying.now)
    .with(bucket)
    .with(window)
    .with(most)
    .with(saying.event.id)
    .with(saying.event.lane)
    .with(saying.event.payload.as_slice())
    .with(saying.event.traceparent.as_deref());
    let (outcome, (used, wait), row, names): (String, Counted, Answered, ProfileRow) =
        statement.get_result(conn).await?;
    Ok(Said {
        outcome,
        count: count(used, wait),
        session_id: saying.session_id,
        sender_id: saying.sender_id,
        row,
        profile: profile(names),
    })
}

fn count(used: Option<i32>, wait: Option<f64>) -> Count {
    Count {
        used: used.unwrap_or_default(),
        wait: wait.unwrap_or_default(),
    }
}

/// Counts a message that was refused. Answers whether it was within the limit.
pub async fn take(db: &Db, bucket: &Bucket) -> Result<(bool, Count), DbError> {
    let mut conn = db.conn().await?;
    let statement =
        Statement::<(Bool, Integer, Double)>::of("SELECT admitted, used, wait FROM count_message(?, ?, ?)")
            .with(bucket.id.as_slice())
            .with(bucket.window)
            .with(bucket.most);
    let (admitted, used, wait): (bool, i32, f64) = statement.get_result(&mut conn).await?;
    Ok((admitted, Count { used, wait }))
}

/// Forgets the limits of those who said nothing since `before`. Answers how many.
pub async fn sweep(conn: &mut Conn, before: DateTime<Utc>, most: i64) -> Result<usize, DbError> {
    let statement = Statement::<Bool>::of(
        "DELETE FROM sent_lately WHERE bucket IN (
           SELECT bucket FROM sent_lately WHERE at[cardinality(at)] < ? LIMIT ? FOR UPDATE SKIP LOCKED)",
    );
    Ok(statement.with(before).with(most).execute(conn).await?)
}
