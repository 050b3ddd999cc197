//! A message with its words opened, and what it looks like to the sockets.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use parlour_vault::Vault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::kinds::MessageKind;
use crate::error::Error;
use crate::profile::Profile;
use crate::pushing::NewMessagePush;
use crate::state::Chat;

/// What is sealed of a message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Words {
    /// What was said.
    #[serde(rename = "c")]
    pub content: String,
    /// What the frontend keeps with it.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// What its file is called.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

impl Words {
    /// Seals them for the message.
    pub fn seal(&self, vault: &Vault, message: Uuid) -> Result<Vec<u8>, Error> {
        Ok(vault.seal(&place(message), &serde_json::to_vec(self)?)?)
    }

    /// Opens those of a message.
    pub fn open(vault: &Vault, message: Uuid, sealed: &[u8]) -> Result<Self, Error> {
        Ok(serde_json::from_slice(&vault.open(&place(message), sealed)?)?)
    }
}

fn place(message: Uuid) -> String {
    format!("messages.words:{message}")
}

/// Where the words of a message belong that others are told, under the contacts key.
pub fn told_place(message: Uuid) -> String {
    format!("chat.message:{message}")
}

/// Whether others see a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// They do.
    Visible,
    /// It waits for a person or for its file.
    Held,
    /// It was removed, and its content is gone.
    Rejected,
}

impl State {
    /// The name that is stored and answered.
    pub const fn name(self) -> &'static str {
        match self {
            State::Visible => "visible",
            State::Held => "held",
            State::Rejected => "rejected",
        }
    }
}

/// A message as it is stored, still sealed.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its conversation.
    pub session_id: Uuid,
    /// Its number; none while it is held.
    pub seq: Option<i64>,
    /// Its id.
    pub id: Uuid,
    /// Who said it.
    pub sender_id: Uuid,
    /// The sender's own id for it.
    pub client_id: Option<String>,
    /// What it is.
    pub kind: String,
    /// Whether others see it.
    pub state: State,
    /// Its words; none once it was removed.
    pub sealed: Option<Vec<u8>>,
    /// Its file in media.
    pub file_id: Option<Uuid>,
    /// The file's size.
    pub file_size: Option<i64>,
    /// When it was sent.
    pub created_at: DateTime<Utc>,
    /// Who the sender is.
    pub profile: Arc<Profile>,
}

/// A message.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as of the row that it was")]
pub struct Message {
    pub session_id: Uuid,
    pub seq: Option<i64>,
    pub id: Uuid,
    pub sender_id: Uuid,
    pub client_id: Option<String>,
    pub kind: MessageKind,
    pub state: State,
    pub content: String,
    pub metadata: Option<Map<String, Value>>,
    pub file_id: Option<Uuid>,
    pub file_name: Option<String>,
    pub file_size: Option<i64>,
    pub created_at: DateTime<Utc>,
    pub profile: Arc<Profile>,
}

impl Message {
    /// Opens a row.
    pub fn open(vault: &Vault, row: Row) -> Result<Self, Error> {
        let words = match &row.sealed {
            Some(sealed) => Words::open(vault, row.id, sealed)?,
            None => Words::default(),
        };
        Ok(Self {
            session_id: row.session_id,
            seq: row.seq,
            id: row.id,
            sender_id: row.sender_id,
            client_id: row.client_id,
            kind: row.kind.parse()?,
            state: row.state,
            content: words.content,
            metadata: words.metadata,
            file_id: row.file_id,
            file_name: words.file_name,
            file_size: row.file_size,
            created_at: row.created_at,
            profile: row.profile,
        })
    }

    /// As `new_message` tells it.
    pub fn pushed(&self, chat: &Chat) -> NewMessagePush {
        NewMessagePush {
            id: self.id,
            session_id: self.session_id,
            seq: self.seq,
            content: self.content.clone(),
            kind: self.kind.name(),
            sender: self.profile.pushed(self.sender_id),
            timestamp: self.created_at.into(),
            file_id: self.file_id,
            file_url: self.file_id.map(|id| chat.file_url(id)),
            file_name: self.file_name.clone(),
            file_size: self.file_size,
            metadata: self.metadata.clone(),
            client_id: self.client_id.clone(),
            state: self.state.name(),
            origin: None,
        }
    }
}
