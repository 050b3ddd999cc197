//! Answers as they are kept under an idempotency key.

use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{ApiError, Reply};

/// The header that tells a repeated answer from a first one.
const REPLAYED: &str = "idempotency-replayed";
/// The header that says where what was created is found.
const LOCATION: &str = "location";

/// What was answered, as it is kept: an answer, or a final refusal.
#[derive(Serialize, Deserialize)]
pub(crate) struct Answer {
    status: u16,
    body: String,
    refusal: Option<(String, String, Vec<String>)>,
    /// Where what was created is found, when a header says so.
    #[serde(default)]
    location: Option<String>,
}

impl Answer {
    pub(crate) fn of_reply(reply: &Reply) -> Self {
        Self {
            status: reply.status.as_u16(),
            body: String::from_utf8_lossy(&reply.body).into_owned(),
            refusal: None,
            location: reply
                .headers
                .iter()
                .find_map(|(name, value)| (*name == LOCATION).then(|| value.clone())),
        }
    }

    pub(crate) fn of_refusal(error: &ApiError) -> Self {
        Self {
            status: error.status.as_u16(),
            body: String::new(),
            refusal: Some((
                error.code.clone().into_owned(),
                error.message.clone().into_owned(),
                error.details.clone(),
            )),
            location: None,
        }
    }

    pub(crate) fn again(self) -> Result<Reply, ApiError> {
        let status = StatusCode::from_u16(self.status).map_err(ApiError::internal)?;
        match self.refusal {
            Some((code, message, details)) => Err(ApiError::new(status, code, message)
                .with_details(details)
                .with_header(REPLAYED, "true".to_owned())),
            None => Ok(Reply {
                status,
                body: self.body.into_bytes(),
                cookies: Vec::new(),
                headers: self.location.map(|place| (LOCATION, place)).into_iter().collect(),
            }
            .with_header(REPLAYED, "true")),
        }
    }
}
