//! Saying something, in one statement.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Bool, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Db, DbError};
use parlour_events::Draft;
use uuid::Uuid;

use super::statement::Statement;
use crate::domain::kinds::MessageKind;
use crate::error::Error;
use crate::message::{Row, State};
use crate::profile::{Profile, ProfileTypes};

/// The bucket of somebody's messages.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Whose.
    pub id: Vec<u8>,
    /// The time that a message uses up, in seconds.
    pub interval: f64,
    /// How far ahead the bucket may be, in seconds.
    pub depth: f64,
}

/// What is said.
#[derive(Debug)]
#[expect(missing_docs, reason = "as the function's parameters in the migration")]
pub struct Saying<'s> {
    pub session_id: Uuid,
    pub sender_id: Uuid,
    pub id: Uuid,
    pub client_id: Option<&'s str>,
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
    pub ahead: f64,
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

type Types = (
    Text,
    Nullable<Double>,
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
            profile: self.profile,
        })
    }
}

/// Says it. The function asks itself who may.
pub async fn say(conn: &mut Conn, saying: &Saying<'_>) -> Result<Said, DbError> {
    let same = saying.client_id.and_then(|text| Uuid::try_parse(text).ok());
    let (bucket, interval, depth) = match saying.bucket {
        Some(bucket) => (Some(bucket.id.as_slice()), bucket.interval, bucket.depth),
        None => (None, 0.0, 0.0),
    };
    let statement = Statement::<Types>::of(
        "SELECT outcome, ahead, message_id, seq, sent_at, message_kind, message_sealed, message_file, \
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
    .with(interval)
    .with(depth)
    .with(saying.event.id)
    .with(saying.event.lane)
    .with(saying.event.payload.as_slice())
    .with(saying.event.traceparent.as_deref());
    let (outcome, ahead, row, names): (String, Option<f64>, Answered, ProfileRow) =
        statement.get_result(conn).await?;
    Ok(Said {
        outcome,
        ahead: ahead.unwrap_or(0.0),
        session_id: saying.session_id,
        sender_id: saying.sender_id,
        row,
        profile: profile(names),
    })
}

/// Takes a token for nothing. Answers whether there was one, and how far ahead the bucket is.
pub async fn take(db: &Db, bucket: &Bucket) -> Result<(bool, f64), DbError> {
    let mut conn = db.conn().await?;
    let statement = Statement::<(Bool, Double)>::of("SELECT admitted, ahead FROM take_token(?, ?, ?)")
        .with(bucket.id.as_slice())
        .with(bucket.interval)
        .with(bucket.depth);
    Ok(statement.get_result(&mut conn).await?)
}
