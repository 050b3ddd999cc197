//! media: a person has another picture.

use parlour_db::{DbError, Tx};
use parlour_events::Failure;
use uuid::Uuid;

use super::erased::failure;
use crate::state::Identity;
use crate::store::{accounts, profiles};

/// Shows the picture in the person's profile, and tells the others. Nothing happens to an
/// account that is gone.
pub(super) async fn change(state: &Identity, tx: &mut Tx, id: Uuid, url: String) -> Result<(), Failure> {
    let account = match accounts::lock(tx, id).await.map_err(DbError::from) {
        Err(DbError::NotFound) => return Ok(()),
        account => account?,
    };
    let mut profile = profiles::find(tx, id).await?;
    profile.avatar_url = Some(url);
    profiles::save(tx, &profile).await?;
    state.tell_profile(tx, &account, &profile).await.map_err(failure)
}
