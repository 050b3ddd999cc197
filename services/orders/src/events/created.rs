//! orders itself: a new order gets a reader.

use std::sync::Arc;

use parlour_contracts::orders::v1::OrderCreated;
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};

use super::id;
use crate::state::Orders;

/// Gives an order to somebody as soon as it was placed. If there is nobody, a job goes on looking, and looks
/// for what was placed while nothing was assigned by itself.
pub(super) fn handle(consumer: Consumer, state: &Arc<Orders>) -> Consumer {
    if !state.settings.auto_assign {
        return consumer.retired::<OrderCreated>();
    }
    let state = state.clone();
    consumer.on(async move |tx: &mut Tx, event: Incoming<OrderCreated>| give(&state, tx, &event.data).await)
}

async fn give(state: &Orders, tx: &mut Tx, event: &OrderCreated) -> Result<(), Failure> {
    if event.requires_payment {
        return Ok(());
    }
    if let Some(order) = state.lock_any(tx, id(&event.order_id)?).await? {
        state.give_to_somebody(tx, order).await?;
    }
    Ok(())
}
