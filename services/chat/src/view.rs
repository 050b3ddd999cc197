//! What answers show.

use std::borrow::Cow;
use std::sync::Arc;

use parlour_http::Time;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::message::Message;
use crate::opening::metadata_place;
use crate::profile::{Profile, ProfileView};
use crate::reading::Seen;
use crate::state::Chat;
use crate::store::listing::{Part, Session};
use crate::store::reactions::ReactionRow;

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
    /// Its file, which media tells more about: a picture's size, a recording's shape.
    pub file_id: Option<Uuid>,
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
    #[schema(value_type = ProfileView<'static>)]
    pub profiles: Arc<Profile>,
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
    #[schema(value_type = ProfileView<'static>)]
    pub profiles: Profile,
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
            file_id: message.file_id,
            file_url: message.file_id.map(|id| chat.file_url(id)),
            file_name: message.file_name,
            file_size: message.file_size,
            is_read,
            moderation_state: message.state.name(),
            metadata: message.metadata.unwrap_or_default(),
            created_at: message.created_at.into(),
            profiles: message.profile,
            message_reactions,
        }
    }
}

impl ReactionView {
    fn of(row: ReactionRow) -> Self {
        Self {
            user_id: row.user_id,
            reaction: row.reaction,
            profiles: row.profile,
        }
    }
}

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    pub id: Uuid,
    /// The order that it belongs to.
    pub booking_id: Option<Uuid>,
    /// `booking`, `support`, `general`, `direct` or `group`.
    pub session_type: String,
    /// `active`, `locked` or `ended`.
    pub status: String,
    /// Those who take part, at most fifty of them.
    pub participants: Vec<Uuid>,
    /// When the last message was sent.
    pub last_message_at: Option<Time>,
    /// Messages of others that the caller has not read.
    pub unread_count: i64,
    /// When it was opened.
    pub created_at: Time,
    /// What the frontend keeps with it.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// The order, where it belongs to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bookings: Option<BookingView>,
}

/// The order of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct BookingView {
    /// The order.
    pub id: Uuid,
    /// Where it is.
    pub status: String,
    /// What was ordered.
    pub services: ServiceView,
    /// The client.
    #[schema(value_type = ProfileView<'static>)]
    pub profiles: Profile,
}

/// What was ordered.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// Its kind, such as `tarot`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A conversation with the people in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionDetail {
    /// The conversation.
    #[serde(flatten)]
    pub session: SessionView,
    /// Those who take part, at most a hundred of them.
    pub participant_profiles: Vec<ParticipantView>,
}

/// Somebody who takes part.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParticipantView {
    /// Their account.
    pub id: Uuid,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Where their picture is.
    pub avatar_url: Option<String>,
    /// What they are, such as `client` or `reader`.
    pub role: String,
}

impl SessionView {
    /// A conversation that somebody sees.
    pub fn new(chat: &Chat, session: Session) -> Result<Self, Error> {
        let metadata = match &session.metadata_sealed {
            Some(sealed) => serde_json::from_slice(&chat.vault.open(&metadata_place(session.id), sealed)?)?,
            None => Map::new(),
        };
        let booking = session.booking_id.zip(session.booking);
        Ok(Self {
            id: session.id,
            booking_id: session.booking_id,
            session_type: session.kind,
            status: session.status,
            participants: session.participants,
            last_message_at: session.last_message_at.map(Time::from),
            unread_count: session.unread,
            created_at: session.created_at.into(),
            metadata,
            bookings: booking.map(|(id, (status, name, kind))| BookingView {
                id,
                status,
                services: ServiceView { name, kind },
                profiles: session.client,
            }),
        })
    }
}

impl SessionDetail {
    /// A conversation that somebody sees, with the people in it.
    pub fn new(chat: &Chat, session: Session, parts: Vec<Part>) -> Result<Self, Error> {
        let of = |(id, role, profile): Part| {
            let shown = profile.view();
            ParticipantView {
                id,
                first_name: shown.first_name.map(Cow::into_owned),
                last_name: shown.last_name.map(ToOwned::to_owned),
                avatar_url: shown.avatar_url.map(ToOwned::to_owned),
                role,
            }
        };
        Ok(Self {
            session: SessionView::new(chat, session)?,
            participant_profiles: parts.into_iter().map(of).collect(),
        })
    }
}
