//! The three families of frontends, and how each is told of an error.

use chrono::Utc;
use serde_json::{Value, json};

use crate::{ApiError, Time};

/// Whose shapes a path speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `/api/…`
    Samia,
    /// `/api/v1/…`
    Aura,
    /// Bare paths.
    SafeTalk,
}

impl Dialect {
    /// The dialect of a path, also of one that does not exist.
    pub fn of(path: &str) -> Self {
        if path.starts_with("/api/v1/") || path == "/api/v1" {
            Self::Aura
        } else if path.starts_with("/api/") || path == "/api" {
            Self::Samia
        } else {
            Self::SafeTalk
        }
    }

    /// The body that tells of `error`.
    pub fn error_body(self, error: &ApiError, request_id: &str) -> Value {
        let timestamp = Time::from(Utc::now());
        match self {
            Self::Samia | Self::Aura => json!({
                "success": false,
                "error": error.message,
                "code": error.code,
                "details": error.details,
                "timestamp": timestamp,
                "request_id": request_id,
            }),
            Self::SafeTalk if error.details.is_empty() => json!({
                "error": error.message,
                "code": error.code,
                "timestamp": timestamp,
            }),
            // Not in SafeTalk's documentation, but its forms have to say which field is wrong.
            Self::SafeTalk => json!({
                "error": error.message,
                "code": error.code,
                "details": error.details,
                "timestamp": timestamp,
            }),
        }
    }
}
