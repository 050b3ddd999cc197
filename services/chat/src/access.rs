//! What people are to conversations, and who is let in.

use parlour_db::{Conn, Db, Scope};
use uuid::Uuid;

use crate::domain::kinds::{SessionKind, SessionStatus};
use crate::error::Error;
use crate::state::Chat;
use crate::store::door::{self, Door};
use crate::store::sessions;
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
            async move |conn: &Conn| -> Result<_, Error> {
                Ok(door::door(conn, session, user, false).await?)
            },
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
