//! Orders: `orders.order.*`.

use parlour_contracts::orders::v1::{
    OrderApproved, OrderAssigned, OrderCancelled, OrderCreated, OrderDelivered, OrderOverdue, OrderRated,
    OrderRejected, OrderSubmitted,
};
use parlour_events::{Consumer, Gather, Incoming};

use super::route::Story;

/// Registers the handlers.
pub(super) fn handle(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    let consumer = beginnings(consumer, telling);
    let consumer = results(consumer, telling);
    endings(consumer, telling)
}

fn order(id: &str, number: &str, service: &str) -> Story {
    Story::default()
        .says("order_id", id)
        .says("number", number)
        .says("service_name", service)
}

fn beginnings(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer
        .gather(telling, |event: Incoming<OrderCreated>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .actor(&told.client_id)?;
            story.of(&event)
        })
        .gather(telling, |event: Incoming<OrderAssigned>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .person("former_reader", &told.former_reader_id)?
                .actor(&told.actor_id)?;
            story.of(&event)
        })
}

fn results(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer
        .gather(telling, |event: Incoming<OrderSubmitted>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .actor(&told.reader_id)?
                .carries("revision", told.revision);
            story.of(&event)
        })
        .gather(telling, |event: Incoming<OrderApproved>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .actor(&told.actor_id)?
                .carries("revision", told.revision);
            story.of(&event)
        })
        .gather(telling, |event: Incoming<OrderRejected>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .actor(&told.actor_id)?
                .carries("revision", told.revision);
            story.of(&event)
        })
}

fn endings(consumer: Consumer, telling: &Gather<Story>) -> Consumer {
    consumer
        .gather(telling, |event: Incoming<OrderDelivered>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?;
            story.of(&event)
        })
        .gather(telling, |event: Incoming<OrderCancelled>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, &told.service_name)
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .actor(&told.actor_id)?;
            story.of(&event)
        })
        .gather(telling, |event: Incoming<OrderOverdue>| {
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
            story.of(&event)
        })
        .gather(telling, |event: Incoming<OrderRated>| {
            let told = &event.data;
            let story = order(&told.order_id, &told.number, "")
                .person("client", &told.client_id)?
                .person("reader", &told.reader_id)?
                .says("rating", told.rating);
            story.of(&event)
        })
}
