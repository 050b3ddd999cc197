//! billing: money for orders. Nothing else moves an order's payment status.

use std::sync::Arc;

use parlour_contracts::billing::v1::{PaymentFailed, PaymentRefunded, PaymentSucceeded};
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};

use super::id;
use crate::domain::order::Status;
use crate::domain::payment::{Account, News, Outcome};
use crate::error::Error;
use crate::state::Orders;
use crate::store::moves;
use crate::store::orders::Order;

/// Follows payments.
pub(super) fn handle(consumer: Consumer, state: &Arc<Orders>) -> Consumer {
    let (succeeding, failing, refunding) = (state.clone(), state.clone(), state.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<PaymentSucceeded>| {
            let news = News::Succeeded {
                amount: event.data.amount_minor,
                currency: event.data.currency.clone(),
                captured: event.data.captured,
            };
            hear(
                &succeeding,
                tx,
                &event.data.payment_id,
                &event.data.order_id,
                &news,
            )
            .await
        })
        .on(async move |tx: &mut Tx, event: Incoming<PaymentFailed>| {
            hear(
                &failing,
                tx,
                &event.data.payment_id,
                &event.data.order_id,
                &News::Failed,
            )
            .await
        })
        .on(async move |tx: &mut Tx, event: Incoming<PaymentRefunded>| {
            let news = News::Refunded {
                amount: event.data.amount_minor,
            };
            hear(
                &refunding,
                tx,
                &event.data.payment_id,
                &event.data.order_id,
                &news,
            )
            .await
        })
}

async fn hear(state: &Orders, tx: &mut Tx, payment: &str, order: &str, news: &News) -> Result<(), Failure> {
    if order.is_empty() {
        return Ok(());
    }
    let (payment, order) = (id(payment)?, id(order)?);
    let Some(row) = state.lock_any(tx, order).await? else {
        tracing::warn!(%payment, %order, "a payment for an order that does not exist");
        return Ok(());
    };
    let before = row.account().map_err(Error::from)?;
    match before.hear(payment, news) {
        Outcome::Known => Ok(()),
        Outcome::Noted(action) => {
            tracing::info!(%payment, %order, action, "news of a payment that change nothing");
            settle(state, tx, row, &before, action).await.map(drop)
        }
        Outcome::Moved(account, action) => {
            let row = settle(state, tx, row, &account, action).await?;
            state.give_to_somebody(tx, row).await?;
            Ok(())
        }
    }
}

/// Writes it. An order that may go on now is due from now on.
async fn settle(
    state: &Orders,
    tx: &mut Tx,
    row: Order,
    account: &Account,
    action: &'static str,
) -> Result<Order, Failure> {
    let now = state.now();
    let waited = row.waits_for_payment();
    let mut paid = row.clone();
    paid.set_account(account);
    let pending = row.status().map_err(Error::from)? == Status::Pending;
    // Only a change of whose turn it is starts the clock anew.
    let turn = (pending && waited != paid.waits_for_payment()).then(|| moves::Turn {
        since: now,
        due_at: state.due_at(&paid, Status::Pending, now),
    });
    moves::pay(tx, &row, account, action, now, turn.as_ref()).await?;
    paid.version += 1;
    paid.updated_at = now;
    Ok(paid)
}
