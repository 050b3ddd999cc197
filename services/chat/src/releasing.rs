//! What becomes of held messages, and how visible ones are removed.

use parlour_contracts::chat::v1::MessageSent;
use parlour_db::{Caller, Scope, Tx};
use parlour_events::realtime::Target;
use uuid::Uuid;

use crate::domain::kinds::MessageKind;
use crate::error::Error;
use crate::message::{Message, told_place};
use crate::pushing::MessageRemovedPush;
use crate::state::Chat;
use crate::store::{held, messages, sessions};
use crate::telling;

impl Chat {
    /// A person let a message, or the message of a file, stand.
    pub async fn approve(&self, tx: &mut Tx, content: Uuid) -> Result<(), Error> {
        let message = self.message_of(tx, content).await?;
        match held::reviewed(tx, message).await? {
            Some(session) => self.release(tx, session, message).await,
            None => Ok(()),
        }
    }

    /// A message, or the message of a file, has to go, held or not.
    pub async fn reject(&self, tx: &mut Tx, content: Uuid) -> Result<(), Error> {
        let message = self.message_of(tx, content).await?;
        self.remove(tx, message).await
    }

    /// A file can be shown.
    pub async fn file_ready(&self, tx: &mut Tx, file: Uuid, owner: Uuid) -> Result<(), Error> {
        let now = self.now();
        let Some(message) = held::verdict(tx, (file, owner), "ready", now).await? else {
            return Ok(());
        };
        match held::scanned(tx, message).await? {
            Some(session) => self.release(tx, session, message).await,
            None => Ok(()),
        }
    }

    /// A file is harmful.
    pub async fn file_infected(&self, tx: &mut Tx, file: Uuid, owner: Uuid) -> Result<(), Error> {
        let now = self.now();
        match held::verdict(tx, (file, owner), "infected", now).await? {
            Some(message) => self.remove(tx, message).await,
            None => Ok(()),
        }
    }

    /// Somebody takes no part any more. Answers whether they did.
    pub async fn leave_session(&self, tx: &mut Tx, session: Uuid, person: Uuid) -> Result<bool, Error> {
        let Some(row) = sessions::lock(tx, session).await? else {
            return Ok(false);
        };
        if !sessions::leave(tx, session, person, self.now()).await? {
            return Ok(false);
        }
        self.tell_updated(tx, &row, "").await?;
        Ok(true)
    }

    /// The message that is meant: decisions about files name the file. The file's lock comes
    /// before the conversation's.
    async fn message_of(&self, tx: &mut Tx, content: Uuid) -> Result<Uuid, Error> {
        Ok(held::message_of(tx, content).await?.unwrap_or(content))
    }

    /// Shows a held message to everybody, if nothing is left to wait for.
    async fn release(&self, tx: &mut Tx, session: Uuid, id: Uuid) -> Result<(), Error> {
        let Some(seq) = held::release(tx, session, id, self.now()).await? else {
            return Ok(());
        };
        let caller = Caller::from(Scope::Service);
        let found = messages::after(tx, &caller, session, seq - 1, 1).await?;
        let Some(row) = found.into_iter().next() else {
            return Ok(());
        };
        let message = Message::open(&self.vault, row)?;
        let mut others = sessions::participants(tx, session).await?;
        others.retain(|user| *user != message.sender_id);
        let told = message.kind != MessageKind::Encrypted && !message.content.is_empty();
        let text_sealed = told
            .then(|| self.contacts.seal_text(&told_place(id), &message.content))
            .transpose()?;
        let event = MessageSent {
            message_id: id.to_string(),
            session_id: session.to_string(),
            seq,
            sender_id: message.sender_id.to_string(),
            r#type: message.kind.name().to_owned(),
            file_id: telling::id(message.file_id),
            recipient_ids: telling::ids(&others),
            sent_at_ms: message.created_at.timestamp_millis(),
            text_sealed: text_sealed.unwrap_or_default(),
            ..MessageSent::default()
        };
        telling::about(tx, session, &event).await?;
        let push = message.pushed(self);
        self.pusher
            .on_commit(tx, Target::Session(session), "new_message", push);
        Ok(())
    }

    async fn remove(&self, tx: &mut Tx, message: Uuid) -> Result<(), Error> {
        if let Some((session_id, sender)) = held::discard(tx, message).await? {
            let push = MessageRemovedPush {
                session_id,
                message_id: message,
                seq: None,
            };
            self.pusher
                .on_commit(tx, Target::User(sender), "message_removed", push);
        }
        if let Some((session_id, seq)) = held::reject(tx, message).await? {
            let push = MessageRemovedPush {
                session_id,
                message_id: message,
                seq: Some(seq),
            };
            self.pusher
                .on_commit(tx, Target::Session(session_id), "message_removed", push);
        }
        Ok(())
    }
}
