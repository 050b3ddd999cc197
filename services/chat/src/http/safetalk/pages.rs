//! SafeTalk's pages, and how it shows a message.

use parlour_http::{ApiError, Call, Check, Extract, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::message::Message;
use crate::profile::Profile;
use crate::reading::Seen;
use crate::state::Chat;

/// `page` and `per_page`.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SafePage {
    /// From 1.
    #[schema(minimum = 1, maximum = 1_000_000)]
    #[param(minimum = 1, maximum = 1_000_000)]
    pub page: Option<i64>,
    /// Items on a page, 20 unless said otherwise.
    #[schema(minimum = 1, maximum = 100)]
    #[param(minimum = 1, maximum = 100)]
    pub per_page: Option<i64>,
}

impl Check for SafePage {}

impl SafePage {
    /// The number of the page.
    pub fn number(self) -> i64 {
        self.page.unwrap_or(1)
    }

    /// Items on a page.
    pub fn size(self) -> i64 {
        self.per_page.unwrap_or(20)
    }

    /// How many items stand before the page.
    pub fn offset(self) -> i64 {
        (self.number() - 1).saturating_mul(self.size())
    }

    /// Where this page is among `total` items.
    pub fn place(self, total: i64) -> Place {
        let total_pages = total.saturating_add(self.size() - 1) / self.size();
        Place {
            total_pages,
            current_page: self.number(),
            has_next: self.number() < total_pages,
            has_previous: self.number() > 1,
        }
    }
}

/// Where in a list a page is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Place {
    /// Pages in all.
    pub total_pages: i64,
    /// This page.
    pub current_page: i64,
    /// Whether there is another behind it.
    pub has_next: bool,
    /// Whether there is one before it.
    pub has_previous: bool,
}

/// A message, as SafeTalk shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SafeMessage {
    /// Its id.
    pub id: Uuid,
    /// Its conversation.
    pub session_id: Uuid,
    /// Its number in the conversation; null while it is held.
    pub seq: Option<i64>,
    /// Who sent it.
    pub sender: SafeSender,
    /// What was said; empty when it was removed.
    pub content: String,
    /// `text`, `voice`, `image`, `file`, `system` or `encrypted`.
    pub message_type: &'static str,
    /// Where its file is, for a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_url: Option<String>,
    /// When it was sent.
    pub timestamp: Time,
    /// `sent`, or `read`: of one of the caller's by somebody else, of another's by the caller.
    pub status: &'static str,
}

/// Who sent a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct SafeSender {
    /// Their account.
    pub id: Uuid,
    /// Their name.
    pub name: String,
    /// Where their picture is.
    pub avatar: Option<String>,
}

impl SafeSender {
    fn of(id: Uuid, profile: &Profile) -> Self {
        Self {
            id,
            name: profile.name(),
            avatar: profile.avatar_url.clone(),
        }
    }
}

impl SafeMessage {
    /// A message that somebody sees.
    pub fn seen(chat: &Chat, seen: Seen) -> Self {
        Self::new(chat, seen.message, seen.is_read)
    }

    /// A message, read or not.
    pub fn new(chat: &Chat, message: Message, is_read: bool) -> Self {
        Self {
            id: message.id,
            session_id: message.session_id,
            seq: message.seq,
            sender: SafeSender::of(message.sender_id, &message.profile),
            content: message.content,
            message_type: message.kind.name(),
            file_url: message.file_id.map(|id| chat.file_url(id)),
            timestamp: message.created_at.into(),
            status: if is_read { "read" } else { "sent" },
        }
    }
}

/// A page of messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct SafeMessages {
    /// The newest first.
    pub messages: Vec<SafeMessage>,
    /// Where in the list this is.
    #[serde(flatten)]
    pub place: Place,
}

/// An id in the path.
fn id_in(call: &Call, name: &'static str) -> Result<Uuid, ApiError> {
    let found = call.params.iter().find(|(param, _)| param == name);
    let text = found.map_or("", |(_, value)| value.as_str());
    Uuid::try_parse(text).map_err(|_| ApiError::field(name, "must be a UUID"))
}

/// The `{session_id}` of the path.
pub struct SessionId(pub Uuid);

impl Extract for SessionId {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        id_in(call, "session_id").map(SessionId)
    }
}

/// The `{group_id}` of the path.
pub struct GroupId(pub Uuid);

impl Extract for GroupId {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        id_in(call, "group_id").map(GroupId)
    }
}
