//! What those ask who follow conversations as they go on: the sockets.

use std::collections::{HashMap, HashSet};

use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel_async::RunQueryDsl as _;
use futures_util::future::try_join;
use parlour_db::{Caller, Conn, DbError, Scope};
use uuid::Uuid;

use crate::access;
use crate::error::Error;
use crate::message::Message;
use crate::state::Chat;
use crate::store::statement::Statement;
use crate::store::{door, messages};
use crate::viewer::Viewer;

/// Where somebody comes in.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The number of the conversation's last message.
    pub last_seq: i64,
    /// The number of the last one that they have.
    pub from: Option<i64>,
}

/// Where somebody comes into a conversation who has everything up to message `last`. Fails
/// where there is no such conversation or it is not theirs to see.
pub async fn place(chat: &Chat, viewer: &Viewer, session: Uuid, last: Option<Uuid>) -> Result<Place, Error> {
    let user = viewer.id;
    let (door, from) = chat
        .db
        .fetch(viewer.scope(), async move |conn: &Conn| -> Result<_, Error> {
            let found = door::door(conn, session, user, false);
            let seq = async {
                match last {
                    Some(last) => messages::seq(conn, session, last).await,
                    None => Ok(None),
                }
            };
            Ok(try_join(found, seq).await?)
        })
        .await?;
    let door = access::admit(chat, viewer, session, door).await?;
    if last.is_some() && from.is_none() {
        return Err(Error::Field("last_message_id", "is no message of this session"));
    }
    Ok(Place {
        last_seq: door.last_seq,
        from,
    })
}

/// Messages behind the number `seq`, in their order, for whoever is let in already.
pub async fn behind(chat: &Chat, session: Uuid, seq: i64, limit: i64) -> Result<Vec<Message>, Error> {
    let rows = chat
        .db
        .ask_alone(async move |conn: &Conn| {
            let caller = Caller::from(Scope::Service);
            messages::after(conn, &caller, session, seq, limit).await
        })
        .await?;
    rows.into_iter()
        .map(|row| Message::open(&chat.vault, row))
        .collect()
}

/// The numbers of the last messages of conversations.
pub async fn last_seqs(chat: &Chat, sessions: &[Uuid]) -> Result<HashMap<Uuid, i64>, Error> {
    let ids = sessions.to_vec();
    let rows = chat
        .db
        .fetch(Scope::Service, async move |mut conn: &Conn| -> Result<_, Error> {
            let asked =
                Statement::<(SqlUuid, BigInt)>::of("SELECT id, last_seq FROM sessions WHERE id = ANY(?)")
                    .with(ids.as_slice());
            Ok(asked.load::<(Uuid, i64)>(&mut conn).await?)
        })
        .await?;
    Ok(rows.into_iter().collect())
}

/// Who takes part in conversations now.
pub async fn participants(chat: &Chat, sessions: &[Uuid]) -> Result<HashSet<(Uuid, Uuid)>, Error> {
    let ids = sessions.to_vec();
    let rows = chat
        .db
        .fetch(Scope::Service, async move |mut conn: &Conn| -> Result<_, Error> {
            let asked = Statement::<(SqlUuid, SqlUuid)>::of(
                "SELECT session_id, user_id FROM participants WHERE session_id = ANY(?) AND left_at IS NULL",
            )
            .with(ids.as_slice());
            Ok(asked.load::<(Uuid, Uuid)>(&mut conn).await?)
        })
        .await?;
    Ok(rows.into_iter().collect())
}

/// Those of `people` who take part in a conversation with `user`.
pub async fn acquainted(chat: &Chat, user: Uuid, people: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let ids = people.to_vec();
    let met = chat
        .db
        .fetch(
            Scope::Person(user),
            async move |mut conn: &Conn| -> Result<_, Error> {
                let asked = Statement::<(Array<SqlUuid>,)>::of(
                    "SELECT coalesce(array_agg(DISTINCT other.user_id), '{}') FROM participants me
                 JOIN participants other USING (session_id)
                 WHERE me.user_id = ? AND me.left_at IS NULL AND other.left_at IS NULL
                   AND other.user_id = ANY(?)",
                )
                .with(user)
                .with(ids.as_slice());
                let (met,): (Vec<Uuid>,) = asked.get_result(&mut conn).await.map_err(DbError::from)?;
                Ok(met)
            },
        )
        .await?;
    Ok(met)
}
