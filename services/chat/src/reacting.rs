//! Reactions to messages.

use parlour_contracts::chat::v1::ReactionChanged;
use parlour_db::{DbError, Scope, Tx};
use parlour_events::realtime::Target;
use uuid::Uuid;

use crate::domain::content;
use crate::domain::kinds::SessionStatus;
use crate::error::Error;
use crate::pushing::ReactionPush;
use crate::reading;
use crate::state::Chat;
use crate::store::reactions::{self, Outcome};
use crate::telling;

/// What came of a reaction.
#[derive(Clone, Debug)]
pub struct Reacted {
    /// The message's number.
    pub seq: i64,
    /// Whether it was added; the same reaction again is taken back.
    pub added: bool,
}

/// Reacts to a message as somebody who takes part, or takes the same reaction back.
pub async fn react(
    chat: &Chat,
    user: Uuid,
    session: Uuid,
    message: Uuid,
    reaction: String,
) -> Result<Reacted, Error> {
    if let Some(problem) = content::reaction_problem(&reaction) {
        return Err(Error::Field("reaction", problem));
    }
    let shared = chat.clone();
    let done = chat
        .db
        .write(
            Scope::Person(user),
            async move |tx: &mut Tx| -> Result<_, Error> {
                let now = shared.now();
                let Some(done) = reactions::toggle(tx, (session, message), user, &reaction, now).await?
                else {
                    return Ok(None);
                };
                if done.status.parse::<SessionStatus>()? != SessionStatus::Active {
                    return Err(Error::Inactive);
                }
                let added = match done.outcome {
                    Outcome::Added => true,
                    Outcome::Removed => false,
                    Outcome::TooMany => {
                        return Err(Error::Conflict("You have reacted to this often enough."));
                    }
                };
                let event = ReactionChanged {
                    session_id: session.to_string(),
                    message_id: message.to_string(),
                    user_id: user.to_string(),
                    reaction: reaction.clone(),
                    added,
                };
                telling::about(tx, session, &event).await?;
                let push = ReactionPush {
                    message_id: message,
                    session_id: session,
                    seq: done.seq,
                    user_id: user,
                    user_name: done.profile.name(),
                    reaction,
                    action: if added { "added" } else { "removed" },
                };
                let target = Target::Session(session);
                shared
                    .pusher
                    .on_commit(tx, target, "message_reaction_update", push);
                Ok(Some(Reacted { seq: done.seq, added }))
            },
        )
        .await?;
    if let Some(done) = done {
        return Ok(done);
    }
    reading::membership(chat, session, user).await?;
    Err(DbError::NotFound.into())
}
