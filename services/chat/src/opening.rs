//! Opening conversations, and changing who takes part and what can be done with them.

use parlour_contracts::chat::v1::{SessionCreated, SessionEnded, SessionUpdated};
use parlour_contracts::id;
use parlour_db::Tx;
use parlour_events::realtime::Target;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::kinds::{SessionKind, SessionStatus};
use crate::error::Error;
use crate::pushing::{SessionJoinedPush, SessionLockedPush, SessionPush};
use crate::state::Chat;
use crate::store::sessions::{self, Locked, NewSession};
use crate::telling::{self, about};

/// A conversation to be.
#[derive(Debug)]
pub struct Opening {
    /// What it is about.
    pub kind: SessionKind,
    /// The order that it belongs to.
    pub booking_id: Option<Uuid>,
    /// Those who take part, and what they are.
    pub people: Vec<(Uuid, String)>,
    /// Whether it takes encrypted messages only.
    pub encrypted: bool,
    /// What the frontend keeps with it.
    pub metadata: Option<Map<String, Value>>,
    /// Who opens it; nobody for the platform.
    pub actor: Option<Uuid>,
}

/// Where the sealed metadata of a conversation belongs.
pub fn metadata_place(session: Uuid) -> String {
    format!("sessions.metadata:{session}")
}

impl Chat {
    /// Opens a conversation under a new id. `tx` has to be the service's: until somebody takes
    /// part, nobody sees it.
    pub async fn open_session(&self, tx: &mut Tx, opening: Opening) -> Result<Uuid, Error> {
        let session = id::new();
        self.open_session_as(tx, session, opening).await?;
        Ok(session)
    }

    /// The same under an id that is known already.
    pub async fn open_session_as(&self, tx: &mut Tx, session: Uuid, opening: Opening) -> Result<(), Error> {
        let now = self.now();
        let sealed = match &opening.metadata {
            Some(metadata) => {
                let plain = serde_json::to_vec(metadata)?;
                Some(self.vault.seal(&metadata_place(session), &plain)?)
            }
            None => None,
        };
        let new = NewSession {
            id: session,
            kind: opening.kind,
            booking_id: opening.booking_id,
            encrypted: opening.encrypted,
            metadata_sealed: sealed.as_deref(),
            now,
        };
        sessions::insert(tx, &new).await?;
        for (user, role) in &opening.people {
            sessions::join(tx, session, (*user, role), now).await?;
            self.push_joined(tx, session, *user, opening.kind);
        }
        let participants: Vec<Uuid> = opening.people.iter().map(|(user, _)| *user).collect();
        let event = SessionCreated {
            session_id: session.to_string(),
            session_type: opening.kind.name().to_owned(),
            booking_id: telling::id(opening.booking_id),
            participant_ids: telling::ids(&participants),
            actor_id: telling::id(opening.actor),
            encrypted: opening.encrypted,
        };
        about(tx, session, &event).await?;
        Ok(())
    }

    /// Tells the sockets of a person that they take part from now on.
    pub fn push_joined(&self, tx: &mut Tx, session: Uuid, user: Uuid, kind: SessionKind) {
        let push = SessionJoinedPush {
            session_id: session,
            session_type: kind.name().to_owned(),
        };
        self.pusher
            .on_commit(tx, Target::User(user), "session_joined", push);
    }

    /// Tells the sockets of a person that they take no part any more.
    pub fn push_left(&self, tx: &mut Tx, session: Uuid, user: Uuid) {
        let push = SessionPush { session_id: session };
        self.pusher
            .on_commit(tx, Target::User(user), "session_left", push);
    }

    /// Tells others what a locked conversation is now.
    pub async fn tell_updated(&self, tx: &mut Tx, session: &Locked, request: &str) -> Result<(), Error> {
        let participants = sessions::participants(tx, session.id).await?;
        let event = SessionUpdated {
            session_id: session.id.to_string(),
            session_type: session.kind.clone(),
            booking_id: telling::id(session.booking_id),
            status: session.status.clone(),
            participant_ids: telling::ids(&participants),
            request_id: request.to_owned(),
        };
        about(tx, session.id, &event).await?;
        Ok(())
    }

    /// Locks a conversation against writing, or lifts that; one that ended stays as it is.
    /// Whoever asked with `request` is answered in any case.
    pub async fn set_locked(
        &self,
        tx: &mut Tx,
        session: Uuid,
        locked: bool,
        request: &str,
    ) -> Result<(), Error> {
        let Some(mut row) = sessions::lock(tx, session).await? else {
            tracing::warn!(%session, "a session that does not exist was to be locked or unlocked");
            return Ok(());
        };
        let was: SessionStatus = row.status.parse()?;
        if was == SessionStatus::Ended {
            return self.tell_ended(tx, &row, request).await;
        }
        let (to, name) = if locked {
            (SessionStatus::Locked, "session_locked")
        } else {
            (SessionStatus::Active, "session_unlocked")
        };
        if was != to {
            sessions::set_status(tx, session, to).await?;
            to.name().clone_into(&mut row.status);
            let push = SessionLockedPush {
                session_id: session,
                status: to.name(),
            };
            self.pusher.on_commit(tx, Target::Session(session), name, push);
        }
        self.tell_updated(tx, &row, request).await
    }

    /// Ends a conversation; one that has ended stays so. Whoever asked with `request` is
    /// answered in any case.
    pub async fn end_session(&self, tx: &mut Tx, session: Uuid, request: &str) -> Result<(), Error> {
        let Some(row) = sessions::lock(tx, session).await? else {
            tracing::warn!(%session, "a session that does not exist was to end");
            return Ok(());
        };
        if row.status.parse::<SessionStatus>()? != SessionStatus::Ended {
            sessions::set_status(tx, session, SessionStatus::Ended).await?;
            let push = SessionPush { session_id: session };
            self.pusher
                .on_commit(tx, Target::Session(session), "session_terminated", push);
        } else if request.is_empty() {
            return Ok(());
        }
        self.tell_ended(tx, &row, request).await
    }

    async fn tell_ended(&self, tx: &mut Tx, row: &Locked, request: &str) -> Result<(), Error> {
        let participants = sessions::participants(tx, row.id).await?;
        let event = SessionEnded {
            session_id: row.id.to_string(),
            booking_id: telling::id(row.booking_id),
            participant_ids: telling::ids(&participants),
            request_id: request.to_owned(),
        };
        about(tx, row.id, &event).await?;
        Ok(())
    }
}
