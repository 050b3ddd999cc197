//! Who finds what at the door of a conversation.

use diesel::OptionalExtension as _;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl as _;
use parlour_db::Conn;
use uuid::Uuid;

use super::statement::Statement;

/// What somebody finds at the door of a conversation that there is.
#[derive(Clone, Debug)]
pub struct Door {
    /// What it is about.
    pub kind: String,
    /// What can be done with it.
    pub status: String,
    /// Whether only its participants can read it.
    pub encrypted: bool,
    /// The number of its last message.
    pub last_seq: i64,
    /// What they are to it; none for somebody who takes no part.
    pub role: Option<String>,
    /// The last message that they have read.
    pub my_read: i64,
    /// The last message that somebody else has read.
    pub others_read: i64,
    /// Held messages that they may see.
    pub held: i64,
}

/// The door, if there is such a conversation. Who `sees_all` sees what is held of others too.
pub async fn door(mut conn: &Conn, session: Uuid, user: Uuid, sees_all: bool) -> QueryResult<Option<Door>> {
    type Found = (String, String, bool, i64, Option<String>, i64, i64, i64);
    type Types = (Text, Text, Bool, BigInt, Nullable<Text>, BigInt, BigInt, BigInt);
    let statement = Statement::<Types>::of(
        "SELECT kind, status, encrypted, last_seq, role, my_read, others_read, held FROM session_door(?, ?, ?)",
    );
    let found: Option<Found> = statement
        .with(session)
        .with(user)
        .with(sees_all)
        .get_result(&mut conn)
        .await
        .optional()?;
    Ok(found.map(
        |(kind, status, encrypted, last_seq, role, my_read, others_read, held)| Door {
            kind,
            status,
            encrypted,
            last_seq,
            role,
            my_read,
            others_read,
            held,
        },
    ))
}
