//! What clients say over a socket, by its name.

mod join;
mod leave;
mod presence;
mod reaction;
mod read;
mod reauthenticate;
mod send;
mod typing;

use std::sync::Arc;

use parlour_http::ApiError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::live::Live;
use super::seat::Seat;
use crate::error::Error;

/// Does it. What is answered goes into the acknowledgement.
pub async fn handle(
    live: &Arc<Live>,
    seat: &Arc<Seat>,
    event: &str,
    argument: Value,
) -> Result<Value, Error> {
    match event {
        "join_chat" => join::join_chat(live, seat, read(argument)?).await,
        "leave_chat" => Ok(leave::leave_chat(live, seat, &read(argument)?)),
        "send_message" => send::send_message(live, seat, read(argument)?).await,
        "typing_start" => typing::typing(live, seat, &read_some(argument)?, true),
        "typing_stop" => typing::typing(live, seat, &read_some(argument)?, false),
        "message_reaction" => reaction::message_reaction(live, seat, read(argument)?).await,
        "mark_read" => read::mark_read(live, seat, read(argument)?).await,
        "presence" => presence::presence(live, seat, read(argument)?).await,
        "reauthenticate" => reauthenticate::reauthenticate(live, seat, read(argument)?).await,
        _ => Err(Error::Field("event", "is not known")),
    }
}

/// `{session_id}`
#[derive(Debug, Deserialize)]
struct OfSession {
    session_id: Uuid,
}

/// `{session_id?}`
#[derive(Debug, Default, Deserialize)]
struct OfSomeSession {
    #[serde(default)]
    session_id: Option<Uuid>,
}

fn read<T: DeserializeOwned>(argument: Value) -> Result<T, Error> {
    serde_json::from_value(argument)
        .map_err(|error| ApiError::validation(vec![format!("payload: {error}")]).into())
}

fn read_some<T: DeserializeOwned + Default>(argument: Value) -> Result<T, Error> {
    if argument.is_null() {
        Ok(T::default())
    } else {
        read(argument)
    }
}
