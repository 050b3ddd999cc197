//! Reading: who may, pages, what came since, and what was read.

use std::collections::HashMap;

use diesel::result::QueryResult;
use futures_util::future::{try_join, try_join3};
use parlour_db::{Caller, Conn, Scope};
use uuid::Uuid;

pub use crate::access::{Membership, membership};
pub use crate::marking::{Read, mark_read};

use crate::access::admit;
use crate::error::Error;
use crate::message::{Message, Row};
use crate::state::Chat;
use crate::store::door::{self, Door};
use crate::store::listing::{self, Part, Session};
use crate::store::messages::{self, From};
use crate::store::reactions::{self, ReactionRow};
use crate::viewer::Viewer;

/// A conversation with those who take part in it, for whom it may concern.
pub async fn session(chat: &Chat, viewer: &Viewer, id: Uuid) -> Result<(Session, Vec<Part>), Error> {
    let (user, all) = (viewer.id, viewer.sees_all());
    let (door, session, parts) = chat
        .db
        .fetch(viewer.scope(), async move |conn: &Conn| -> Result<_, Error> {
            let door = door::door(conn, id, user, all);
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
    let (user, all, scope) = (viewer.id, viewer.sees_all(), viewer.scope());
    let (door, (mut rows, mut reactions)) = chat
        .db
        .ask_alone(async move |conn: &Conn| {
            let door = door::door(conn, session, user, all);
            try_join(door, load(conn, scope, session, (from, limit + 1))).await
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

async fn load(conn: &Conn, scope: Scope, session: Uuid, (from, limit): (From, i64)) -> QueryResult<Rows> {
    let caller = Caller::from(scope);
    let rows = messages::page(conn, &caller, session, from, limit);
    let reactions = reactions::of_page(conn, &caller, session, from, limit);
    try_join(rows, reactions).await
}

/// The same page with the held messages before the others.
async fn with_held(
    chat: &Chat,
    viewer: &Viewer,
    session: Uuid,
    (door, offset, limit): (&Door, i64, i64),
) -> Result<Rows, Error> {
    let sender = (!viewer.sees_all()).then_some(viewer.id);
    let (scope, below) = (viewer.scope(), (offset - door.held).max(0));
    chat.db
        .fetch(scope, async move |conn: &Conn| -> Result<_, Error> {
            let held = messages::held(conn, session, sender, limit + 1, offset);
            let visible = load(conn, scope, session, (From::Offset(below), limit + 1));
            let (mut rows, (visible, reactions)) = try_join(held, visible).await?;
            rows.extend(visible);
            Ok((rows, reactions))
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
    let (user, all, scope) = (viewer.id, viewer.sees_all(), viewer.scope());
    let (door, rows, reactions) = chat
        .db
        .ask_alone(async move |conn: &Conn| {
            let caller = Caller::from(scope);
            let door = door::door(conn, session, user, all);
            let rows = messages::after(conn, &caller, session, seq, limit);
            let reactions = reactions::after(conn, &caller, session, seq, limit);
            try_join3(door, rows, reactions).await
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
