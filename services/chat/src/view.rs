//! What answers show.

use parlour_http::Time;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::message::Message;
use crate::profile::ProfileView;
use crate::reading::Seen;
use crate::state::Chat;
use crate::store::messages::ReactionRow;

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageView {
    /// Its id.
    pub id: Uuid,
    /// Its conversation.
    pub session_id: Uuid,
    /// Its number in the conversation, from 1 without holes; null while it is held.
    pub seq: Option<i64>,
    /// Who sent it.
    pub sender_id: Uuid,
    /// The sender's own id for it.
    pub client_id: Option<String>,
    /// What was said; empty when it was removed.
    pub content: String,
    /// `text`, `voice`, `image`, `file`, `system` or `encrypted`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where its file is, for a day.
    pub file_url: Option<String>,
    /// What its file is called.
    pub file_name: Option<String>,
    /// The file's size in bytes.
    pub file_size: Option<i64>,
    /// Whether the caller has read it, or of one of theirs, whether somebody else has.
    pub is_read: bool,
    /// `visible`, `held` (nobody else sees it yet) or `rejected` (it was removed).
    pub moderation_state: &'static str,
    /// What the frontend keeps with it.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// When it was sent.
    pub created_at: Time,
    /// Who sent it.
    pub profiles: ProfileView,
    /// The reactions to it.
    pub message_reactions: Vec<ReactionView>,
}

/// A reaction to a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReactionView {
    /// Whose.
    pub user_id: Uuid,
    /// What.
    pub reaction: String,
    /// Who they are.
    pub profiles: ProfileView,
}

impl MessageView {
    /// A message that somebody sees.
    pub fn seen(chat: &Chat, seen: Seen) -> Self {
        let reactions = seen.reactions.into_iter().map(ReactionView::of).collect();
        Self::new(chat, seen.message, seen.is_read, reactions)
    }

    /// A message that was sent a moment ago.
    pub fn sent(chat: &Chat, message: Message) -> Self {
        Self::new(chat, message, false, Vec::new())
    }

    fn new(chat: &Chat, message: Message, is_read: bool, message_reactions: Vec<ReactionView>) -> Self {
        Self {
            id: message.id,
            session_id: message.session_id,
            seq: message.seq,
            sender_id: message.sender_id,
            client_id: message.client_id,
            content: message.content,
            kind: message.kind.name(),
            file_url: message.file_id.map(|id| chat.file_url(id)),
            file_name: message.file_name,
            file_size: message.file_size,
            is_read,
            moderation_state: message.state.name(),
            metadata: message.metadata.unwrap_or_default(),
            created_at: message.created_at.into(),
            profiles: message.profile.view(),
            message_reactions,
        }
    }
}

impl ReactionView {
    fn of(row: ReactionRow) -> Self {
        Self {
            user_id: row.user_id,
            reaction: row.reaction,
            profiles: row.profile.view(),
        }
    }
}
