//! Reading: who may, pages, what came since, and what was read.

use std::collections::HashMap;

use futures_util::future::{try_join, try_join3};
use parlour_db::{Conn, Db, DbError, Scope, Tx};
use parlour_events::realtime::Target;
use uuid::Uuid;

use crate::domain::kinds::{SessionKind, SessionStatus};
use crate::error::Error;
use crate::message::{Message, Row};
use crate::pushing::MessagesReadPush;
use crate::state::Chat;
use crate::store::door::{self, Door};
use crate::store::listing::{self, Part, Session};
use crate::store::messages::{self, From, ReactionRow};
use crate::store::{reads, sessions};
use crate::telling;
use crate::viewer::Viewer;

/// What somebody is to a conversation that they take part in.
#[derive(Clone, Debug)]
pub struct Membership {
    /// What it is about.
    pub kind: SessionKind,
    /// What can be done with it.
    pub status: SessionStatus,
    /// Whether it takes encrypted messages only.
    pub encrypted: bool,
    /// What they are to it.
    pub role: String,
    /// The number of its last message.
    pub last_seq: i64,
    /// The last message that they have read.
    pub last_read_seq: i64,
}

/// What somebody is to a conversation. Fails where there is none or it is not theirs.
pub async fn membership(chat: &Chat, session: Uuid, user: Uuid) -> Result<Membership, Error> {
    let found = chat
        .db
        .fetch(
            Scope::Person(user),
            async move |conn: &Conn| -> Result<_, Error> { Ok(door::door(conn, session, user).await?) },
        )
        .await?;
    let door = found.ok_or(Error::SessionNotFound)?;
    Ok(Membership {
        kind: door.kind.parse()?,
        status: door.status.parse()?,
        encrypted: door.encrypted,
        role: door.role.ok_or(Error::Denied)?,
        last_seq: door.last_seq,
        last_read_seq: door.my_read,
    })
}

/// Whether somebody may send a file there. Asked before the file goes to media; whatever
/// changes in between is found out when it is sent.
pub async fn may_send_files(chat: &Chat, user: Uuid, session: Uuid) -> Result<(), Error> {
    let found = membership(chat, session, user).await?;
    if found.status != SessionStatus::Active {
        return Err(Error::Inactive);
    }
    if found.encrypted {
        return Err(Error::Field("session_id", "takes encrypted messages only"));
    }
    Ok(())
}

/// A conversation with those who take part in it, for whom it may concern.
pub async fn session(chat: &Chat, viewer: &Viewer, id: Uuid) -> Result<(Session, Vec<Part>), Error> {
    let user = viewer.id;
    let (door, session, parts) = chat
        .db
        .fetch(viewer.scope(), async move |conn: &Conn| -> Result<_, Error> {
            let door = door::door(conn, id, user);
            let session = listing::find(conn, id, user);
            Ok(try_join3(door, session, listing::parts(conn, id)).await?)
        })
        .await?;
    admit(chat, viewer, id, door).await?;
    Ok((session.ok_or(Error::SessionNotFound)?, parts))
}

/// A message as one person sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The message.
    pub message: Message,
    /// Whether they have read it, or, if it is theirs, somebody else has.
    pub is_read: bool,
    /// The reactions to it, in the order in which they came.
    pub reactions: Vec<ReactionRow>,
}

/// Which page of a conversation.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// By its number, from 1.
    Number(i64),
    /// Below this message.
    Before(Uuid),
}

/// A page of a conversation, the newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The messages.
    pub messages: Vec<Seen>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// The number of the conversation's last message.
    pub last_seq: i64,
    /// Held messages that the viewer may see.
    pub held: i64,
}

type Rows = (Vec<Row>, Vec<ReactionRow>);

/// A page, in one round trip where nothing is held for the viewer. Held messages come before
/// the others.
pub async fn page(
    chat: &Chat,
    viewer: &Viewer,
    session: Uuid,
    which: Which,
    limit: i64,
) -> Result<Page, Error> {
    let (from, offset) = match which {
        Which::Number(number) => {
            let offset = (number - 1).saturating_mul(limit);
            (From::Offset(offset), Some(offset))
        }
        Which::Before(id) => (From::Before(id), None),
    };
    let user = viewer.id;
    let (door, (mut rows, mut reactions)) = chat
        .db
        .fetch(viewer.scope(), async move |conn: &Conn| -> Result<_, Error> {
            let door = async { door::door(conn, session, user).await.map_err(DbError::from) };
            Ok(try_join(door, load(conn, session, from, limit + 1)).await?)
        })
        .await?;
    let door = admit(chat, viewer, session, door).await?;
    if rows.is_empty()
        && let Which::Before(id) = which
        && !is_there(chat, viewer, session, id).await?
    {
        return Err(Error::Field("before_message_id", "is no message of this session"));
    }
    if let Some(offset) = offset.filter(|_| door.held > 0) {
        (rows, reactions) = with_held(chat, viewer, session, (&door, offset, limit)).await?;
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > most;
    rows.truncate(most);
    Ok(Page {
        messages: seen(chat, viewer, &door, rows, reactions)?,
        has_more,
        last_seq: door.last_seq,
        held: door.held,
    })
}

async fn load(conn: &Conn, session: Uuid, from: From, limit: i64) -> Result<Rows, DbError> {
    let rows = messages::page(conn, session, from, limit);
    let reactions = messages::reactions(conn, session, from, limit);
    Ok(try_join(rows, reactions).await?)
}

/// The same page with the held messages before the others.
async fn with_held(
    chat: &Chat,
    viewer: &Viewer,
    session: Uuid,
    (door, offset, limit): (&Door, i64, i64),
) -> Result<Rows, Error> {
    let sender = door.role.is_some().then_some(viewer.id);
    let below = (offset - door.held).max(0);
    chat.db
        .fetch(viewer.scope(), async move |conn: &Conn| -> Result<_, Error> {
            let held = messages::held(conn, session, sender, limit + 1, offset);
            let held = async { held.await.map_err(DbError::from) };
            let visible = load(conn, session, From::Offset(below), limit + 1);
            let (mut rows, (visible, reactions)) = try_join(held, visible).await?;
            rows.extend(visible);
            Ok((rows, reactions))
        })
        .await
}

/// Lets in those who take part and those who look at everything.
pub(crate) async fn admit(
    chat: &Chat,
    viewer: &Viewer,
    session: Uuid,
    door: Option<Door>,
) -> Result<Door, Error> {
    let door = door.ok_or(Error::SessionNotFound)?;
    if door.role.is_some() {
        return Ok(door);
    }
    let inside = match viewer.country() {
        _ if !viewer.sees_all() => false,
        None => true,
        Some(country) => in_country(&chat.db, session, country.to_owned()).await?,
    };
    if inside { Ok(door) } else { Err(Error::Denied) }
}

async fn in_country(db: &Db, session: Uuid, country: String) -> Result<bool, Error> {
    db.fetch(Scope::Service, async move |conn: &Conn| -> Result<_, Error> {
        Ok(sessions::in_country(conn, session, &country).await?)
    })
    .await
}

async fn is_there(chat: &Chat, viewer: &Viewer, session: Uuid, id: Uuid) -> Result<bool, Error> {
    chat.db
        .fetch(viewer.scope(), async move |conn: &Conn| -> Result<_, Error> {
            Ok(messages::seq(conn, session, id).await?.is_some())
        })
        .await
}

fn seen(
    chat: &Chat,
    viewer: &Viewer,
    door: &Door,
    rows: Vec<Row>,
    reactions: Vec<ReactionRow>,
) -> Result<Vec<Seen>, Error> {
    let mut by_seq: HashMap<i64, Vec<ReactionRow>> = HashMap::new();
    for reaction in reactions {
        by_seq.entry(reaction.seq).or_default().push(reaction);
    }
    let open = |row: Row| {
        let mine = row.sender_id == viewer.id || door.role.is_none();
        let read = if mine { door.others_read } else { door.my_read };
        Ok(Seen {
            is_read: row.seq.is_some_and(|seq| seq <= read),
            reactions: row.seq.and_then(|seq| by_seq.remove(&seq)).unwrap_or_default(),
            message: Message::open(&chat.vault, row)?,
        })
    };
    rows.into_iter().map(open).collect()
}

/// Messages behind the number `seq`, in their order, removed ones as what is left of them.
/// Less than `limit` are all that there are.
pub async fn after(
    chat: &Chat,
    viewer: &Viewer,
    session: Uuid,
    seq: i64,
    limit: i64,
) -> Result<Vec<Seen>, Error> {
    let user = viewer.id;
    let (door, rows, reactions) = chat
        .db
        .fetch(viewer.scope(), async move |conn: &Conn| -> Result<_, Error> {
            let door = door::door(conn, session, user);
            let rows = messages::after(conn, session, seq, limit);
            let reactions = messages::reactions_after(conn, session, seq, limit);
            Ok(try_join3(door, rows, reactions).await?)
        })
        .await?;
    let door = admit(chat, viewer, session, door).await?;
    seen(chat, viewer, &door, rows, reactions)
}

/// Messages of all conversations of a person, the newest first, and how many there are.
pub async fn mine(chat: &Chat, user: Uuid, limit: i64, offset: i64) -> Result<(i64, Vec<Seen>), Error> {
    let (total, rows) = chat
        .db
        .fetch(
            Scope::Person(user),
            async move |conn: &Conn| -> Result<_, Error> {
                let total = messages::count_of(conn, user);
                Ok(try_join(total, messages::page_of(conn, user, limit, offset)).await?)
            },
        )
        .await?;
    let open = |(row, is_read): (Row, bool)| {
        Ok(Seen {
            message: Message::open(&chat.vault, row)?,
            is_read,
            reactions: Vec::new(),
        })
    };
    let seen: Result<Vec<Seen>, Error> = rows.into_iter().map(open).collect();
    Ok((total, seen?))
}

/// The number of a message of a conversation, for who takes part in it.
pub async fn seq_of(chat: &Chat, user: Uuid, session: Uuid, id: Uuid) -> Result<Option<i64>, Error> {
    chat.db
        .fetch(
            Scope::Person(user),
            async move |conn: &Conn| -> Result<_, Error> { Ok(messages::seq(conn, session, id).await?) },
        )
        .await
}

/// What came of marking a message as read.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// The message's conversation.
    pub session_id: Uuid,
    /// The message.
    pub message_id: Uuid,
    /// Its number: all up to it are read.
    pub seq: i64,
    /// Whether less had been read before.
    pub news: bool,
}

/// Marks everything up to a message as read by somebody who takes part, which is told when it
/// is news. Without a session it is found by the message. Fails where they know of no such message.
pub async fn mark_read(
    chat: &Chat,
    reader: Uuid,
    session: Option<Uuid>,
    message: Uuid,
) -> Result<Read, Error> {
    let shared = chat.clone();
    let marked = chat
        .db
        .write(
            Scope::Person(reader),
            async move |tx: &mut Tx| -> Result<_, Error> {
                let Some((session_id, seq, news)) = reads::mark(tx, reader, session, message).await? else {
                    return Ok(None);
                };
                if news {
                    let event = telling::read(session_id, reader, message, seq);
                    telling::about(tx, session_id, &event).await?;
                    let push = MessagesReadPush {
                        session_id,
                        user_id: reader,
                        message_id: message,
                        seq,
                    };
                    let target = Target::Session(session_id);
                    shared.pusher.on_commit(tx, target, "messages_read", push);
                }
                Ok(Some(Read {
                    session_id,
                    message_id: message,
                    seq,
                    news,
                }))
            },
        )
        .await?;
    match (marked, session) {
        (Some(read), _) => Ok(read),
        (None, Some(session)) => {
            membership(chat, session, reader).await?;
            Err(DbError::NotFound.into())
        }
        (None, None) => Err(DbError::NotFound.into()),
    }
}
