//! Blocks, and the guide programme.

use parlour_contracts::Role;
use parlour_db::Tx;
use parlour_events::Failure;
use uuid::Uuid;

use super::erased::failure;
use crate::http::admin::grants::tell_power;
use crate::state::Identity;
use crate::store::{accounts, profiles};

/// Blocks an account and ends every session it has.
pub(super) async fn block(state: &Identity, tx: &mut Tx, id: Uuid) -> Result<(), Failure> {
    if !accounts::set_status(tx, id, "blocked").await? {
        return Ok(());
    }
    state
        .end_all_sessions(tx, id, None, "blocked")
        .await
        .map_err(failure)?;
    tell(state, tx, id).await
}

/// Lifts a block; sessions stay ended.
pub(super) async fn unblock(state: &Identity, tx: &mut Tx, id: Uuid) -> Result<(), Failure> {
    if !accounts::set_status(tx, id, "active").await? {
        return Ok(());
    }
    tell(state, tx, id).await
}

/// Gives the role of a guide.
pub(super) async fn make_guide(state: &Identity, tx: &mut Tx, id: Uuid) -> Result<(), Failure> {
    let account = accounts::lock(tx, id).await?;
    let mut roles = account.roles();
    if roles.contains(&Role::Guide) {
        return Ok(());
    }
    roles.push(Role::Guide);
    roles.sort_unstable();
    accounts::set_roles(tx, id, &roles).await?;
    let account = accounts::find(tx, id).await?;
    tell_power(state, tx, &account).await.map_err(failure)?;
    tell(state, tx, id).await
}

async fn tell(state: &Identity, tx: &mut Tx, id: Uuid) -> Result<(), Failure> {
    let account = accounts::find(tx, id).await?;
    let profile = profiles::find(tx, id).await?;
    state.tell_profile(tx, &account, &profile).await.map_err(failure)
}
