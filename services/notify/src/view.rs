//! What is answered about notifications.

use parlour_http::Time;
use parlour_vault::Vault;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::Priority;
use crate::error::Error;
use crate::store::contents::Content;
use crate::store::notifications::Notification;

/// A notification, as its owner sees it, in lists and on sockets.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = NotificationView)]
pub struct Item {
    /// Its id.
    pub id: Uuid,
    /// Its type, such as `order_delivered`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The title.
    pub title: String,
    /// The text.
    pub message: String,
    /// For the frontend, such as `order_id`.
    #[schema(value_type = Object)]
    pub data: Map<String, Value>,
    /// `low`, `normal`, `high` or `emergency`.
    #[schema(value_type = String)]
    pub priority: Priority,
    /// Whether it was read.
    pub is_read: bool,
    /// When it was.
    pub read_at: Option<Time>,
    /// When it came about.
    pub created_at: Time,
    /// When it loses its point.
    pub expires_at: Option<Time>,
}

impl Item {
    /// Opens a notification.
    pub fn open(vault: &Vault, row: Notification) -> Result<Self, Error> {
        let content = content_of(vault, &row)?;
        Ok(Self {
            id: row.id,
            kind: row.kind,
            title: content.title,
            message: content.message,
            data: content.data,
            priority: Priority::named(&row.priority).unwrap_or(Priority::Normal),
            is_read: row.read_at.is_some(),
            read_at: row.read_at.map(Time::from),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Time::from),
        })
    }
}

/// What a notification says.
pub fn content_of(vault: &Vault, row: &Notification) -> Result<Content, Error> {
    match &row.content {
        Some(sealed) => Ok(Content::open(vault, row.id, sealed)?),
        // The table's constraint does not allow it.
        None => Err(parlour_vault::VaultError::Damaged.into()),
    }
}
