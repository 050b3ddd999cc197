//! What a notification says.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use parlour_db::Conn;
use parlour_vault::{Vault, VaultError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::schema::contents;

/// Title, text and data of a notification: sealed in one piece.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The title, in the person's language.
    pub title: String,
    /// The text.
    pub message: String,
    /// For the frontend.
    pub data: Map<String, Value>,
    /// Whose templates speak for the other channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What these are filled with.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// The language that title and text are in.
    #[serde(default)]
    pub locale: String,
}

impl Content {
    /// Seals it for the notification `id`.
    pub fn seal(&self, vault: &Vault, id: Uuid) -> Result<Vec<u8>, VaultError> {
        self.seal_at(vault, &format!("notifications.content:{id}"))
    }

    /// Seals it for the shared row `id`.
    pub fn seal_shared(&self, vault: &Vault, id: Uuid) -> Result<Vec<u8>, VaultError> {
        self.seal_at(vault, &format!("contents.sealed:{id}"))
    }

    fn seal_at(&self, vault: &Vault, place: &str) -> Result<Vec<u8>, VaultError> {
        let plain = serde_json::to_vec(self).map_err(|_| VaultError::Damaged)?;
        vault.seal(place, &plain)
    }

    /// Opens what was sealed for the notification `id`, or for the shared row.
    pub fn open(vault: &Vault, id: Uuid, sealed: &Sealed) -> Result<Self, VaultError> {
        let (place, bytes) = match sealed {
            Sealed::Own(bytes) => (format!("notifications.content:{id}"), bytes),
            Sealed::Shared(shared, bytes) => (format!("contents.sealed:{shared}"), bytes),
        };
        let plain = vault.open(&place, bytes)?;
        serde_json::from_slice(&plain).map_err(|_| VaultError::Damaged)
    }
}

/// A sealed content, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// In the notification's own row.
    Own(Vec<u8>),
    /// In the row of this id, which many notifications share.
    Shared(Uuid, Vec<u8>),
}

impl Sealed {
    /// From the columns `content_sealed`, `content_id` and the shared row's `sealed`.
    pub fn of(own: Option<Vec<u8>>, id: Option<Uuid>, shared: Option<Vec<u8>>) -> Option<Self> {
        own.map(Self::Own).or_else(|| Some(Self::Shared(id?, shared?)))
    }
}

/// Keeps a shared content; one that is there stays.
pub async fn share(conn: &mut Conn, id: Uuid, sealed: Vec<u8>, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::insert_into(contents::table)
        .values((
            contents::id.eq(id),
            contents::sealed.eq(sealed),
            contents::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}
