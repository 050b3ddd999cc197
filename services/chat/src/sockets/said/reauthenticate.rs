//! `reauthenticate {token}`

use std::sync::Arc;

use parlour_http::ApiError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::sockets::live::Live;
use crate::sockets::seat::Seat;

/// A newer token of the same person.
#[derive(Deserialize)]
pub(super) struct Reauthenticate {
    token: String,
}

/// Goes on with the new token. One of somebody else is refused: a connection is one person's.
pub(super) async fn reauthenticate(
    live: &Arc<Live>,
    seat: &Arc<Seat>,
    body: Reauthenticate,
) -> Result<Value, Error> {
    let token = body.token.strip_prefix("Bearer ").unwrap_or(&body.token);
    let principal = live.verify(token).await.map_err(ApiError::from)?;
    if principal.id != seat.user {
        return Err(Error::Forbidden("the token is somebody else's"));
    }
    let until = principal.expires_at;
    seat.renew(principal);
    Ok(json!({ "expires_at": parlour_http::Time::from(until) }))
}
