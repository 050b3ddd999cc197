//! Payments: `billing.payment.*`.

use std::sync::Arc;

use parlour_contracts::billing::v1::{PaymentFailed, PaymentRefunded, PaymentSucceeded};
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};

use super::route::Story;
use crate::domain::money;
use crate::state::Notify;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let (succeeded, failed, refunded) = (notify.clone(), notify.clone(), notify.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<PaymentSucceeded>| {
            let told = &event.data;
            // A receipt is for money that was taken, not for money that is held.
            if !told.captured {
                return Ok(());
            }
            let ids = [&told.payment_id, &told.order_id, &told.payer_id];
            payment(ids, told.amount_minor, &told.currency)?
                .tell(&succeeded, tx, &event)
                .await
        })
        .on(async move |tx: &mut Tx, event: Incoming<PaymentFailed>| {
            let told = &event.data;
            let ids = [&told.payment_id, &told.order_id, &told.payer_id];
            let story =
                payment(ids, told.amount_minor, &told.currency)?.carries("reason", told.reason.as_str());
            story.tell(&failed, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<PaymentRefunded>| {
            let told = &event.data;
            let ids = [&told.payment_id, &told.order_id, &told.payer_id];
            payment(ids, told.amount_minor, &told.currency)?
                .tell(&refunded, tx, &event)
                .await
        })
}

fn payment([id, order, payer]: [&String; 3], minor: i64, currency: &str) -> Result<Story, Failure> {
    Story::default()
        .says("payment_id", id.as_str())
        .says("order_id", order.as_str())
        .says("amount", money::told(minor, currency))
        .carries("amount_minor", minor)
        .carries("currency", currency)
        .person("payer", payer)
}
