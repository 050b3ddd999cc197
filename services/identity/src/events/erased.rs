//! The right to be forgotten.

use parlour_contracts::identity::v1::AccountDeleted;
use parlour_db::Tx;
use parlour_events::Failure;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Identity;
use crate::store::erasure;

/// Ends every session and deletes everything known of a person. Only the id stays, so
/// that a repeated request finds nothing left to do.
pub(super) async fn erase(state: &Identity, tx: &mut Tx, id: Uuid) -> Result<(), Failure> {
    state
        .end_all_sessions(tx, id, None, "deleted")
        .await
        .map_err(failure)?;
    if !erasure::erase(tx, id).await? {
        return Ok(());
    }
    let event = AccountDeleted {
        account_id: id.to_string(),
    };
    parlour_events::publish(tx, format!("account:{id}"), &event).await?;
    Ok(())
}

/// How a failure of identity's own code is classed for the retry ladder.
pub(super) fn failure(error: Error) -> Failure {
    match error {
        Error::Db(error) => error.into(),
        other => Failure::retry(other),
    }
}
