//! Orders: `orders.order.*`.

use std::sync::Arc;

use parlour_contracts::orders::v1::{
    OrderApproved, OrderAssigned, OrderCancelled, OrderCreated, OrderDelivered, OrderOverdue, OrderRated,
    OrderRejected, OrderSubmitted,
};
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::route::Story;
use crate::state::Notify;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let consumer = beginnings(consumer, notify);
    let consumer = results(consumer, notify);
    endings(consumer, notify)
}

fn order(id: &str, number: &str, service: &str) -> Story {
    Story::default()
        .says("order_id", id)
        .says("number", number)
        .says("service_name", service)
}

fn beginnings(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let (created, assigned) = (notify.clone(), notify.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<OrderCreated>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .actor(&told.client_id)?;
            story.tell(&created, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderAssigned>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .person("former_reader", &told.former_reader_id)?
                .actor(&told.actor_id)?;
            story.tell(&assigned, tx, &event).await
        })
}

fn results(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let (submitted, approved, rejected) = (notify.clone(), notify.clone(), notify.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<OrderSubmitted>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .actor(&told.reader_id)?
                .carries("revision", told.revision);
            story.tell(&submitted, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderApproved>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .actor(&told.actor_id)?
                .carries("revision", told.revision);
            story.tell(&approved, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderRejected>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .actor(&told.actor_id)?
                .carries("revision", told.revision);
            story.tell(&rejected, tx, &event).await
        })
}

fn endings(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let (delivered, cancelled) = (notify.clone(), notify.clone());
    let (overdue, rated) = (notify.clone(), notify.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<OrderDelivered>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?;
            story.tell(&delivered, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderCancelled>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .actor(&told.actor_id)?;
            story.tell(&cancelled, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderOverdue>| {
            let told = &event.data;
            // A reader is in time once the result is in.
            let late = if told.waits_for == "result" {
                told.reader_id.as_str()
            } else {
                ""
            };
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", late)?
                .says("waits_for", told.waits_for.as_str());
            story.tell(&overdue, tx, &event).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderRated>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, "")
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .says("rating", told.rating);
            story.tell(&rated, tx, &event).await
        })
}
