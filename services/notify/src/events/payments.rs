//! Payments: `billing.payment.*`.

use parlour_contracts::billing::v1::{PaymentFailed, PaymentRefunded, PaymentSucceeded};
use parlour_events::{Consumer, Failure, Gather, Incoming};

use super::route::Story;
use crate::domain::money;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer
        .gather(telling, |event: Incoming<PaymentSucceeded>| {
            let told = &event.data;
            // A receipt is for money that was taken, not for money that is held.
            if !told.captured {
                return Ok(None);
            }
            let ids = [&told.payment_id, &told.order_id, &told.payer_id];
            payment(ids, told.amount_minor, &told.currency)?.of(&event)
        })
        .gather(telling, |event: Incoming<PaymentFailed>| {
            let told = &event.data;
            let ids = [&told.payment_id, &told.order_id, &told.payer_id];
            let story =
                payment(ids, told.amount_minor, &told.currency)?.carries("reason", told.reason.as_str());
            story.of(&event)
        })
        .gather(telling, |event: Incoming<PaymentRefunded>| {
            let told = &event.data;
            let ids = [&told.payment_id, &told.order_id, &told.payer_id];
            payment(ids, told.amount_minor, &told.currency)?.of(&event)
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
