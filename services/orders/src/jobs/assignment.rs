//! Orders that nobody could be given to when they were placed or paid.

use parlour_db::{Scope, Tx};
use uuid::Uuid;

use super::BATCH;
use crate::error::Error;
use crate::state::Orders;
use crate::store::waiting;

/// Tries every pending order once.
pub(super) async fn run(state: &Orders) -> Result<(), Error> {
    if !state.settings.auto_assign {
        return Ok(());
    }
    let mut after = None;
    loop {
        let shared = state.clone();
        let last = state
            .db
            .write(Scope::Service, async move |tx: &mut Tx| {
                batch(&shared, tx, after).await
            })
            .await?;
        match last {
            None => return Ok(()),
            last => after = last,
        }
    }
}

/// Answers the last order that was tried.
async fn batch(state: &Orders, tx: &mut Tx, after: Option<Uuid>) -> Result<Option<Uuid>, Error> {
    let mut last = None;
    for order in waiting::lock_pending(tx, BATCH, after).await? {
        last = Some(order.id);
        state.give_to_somebody(tx, order).await?;
    }
    Ok(last)
}
