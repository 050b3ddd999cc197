//! orders: who talks with whom about which order, and until when.

use std::sync::Arc;

use parlour_contracts::orders::v1::{
    OrderApproved, OrderAssigned, OrderCancelled, OrderCreated, OrderDelivered, OrderRejected, OrderSubmitted,
};
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};
use uuid::Uuid;

use super::id;
use crate::domain::kinds::SessionKind;
use crate::error::Error;
use crate::opening::Opening;
use crate::state::Chat;
use crate::store::bookings::{self, Booking, News};
use crate::store::sessions;

/// Follows orders.
pub(super) fn handle(consumer: Consumer, state: &Arc<Chat>) -> Consumer {
    let (assigning, delivering, cancelling) = (state.clone(), state.clone(), state.clone());
    let consumer = consumer
        .on(async |tx: &mut Tx, event: Incoming<OrderCreated>| {
            let told = &event.data;
            let mut news = news(&told.order_id, &told.client_id, &told.service_name, "pending")?;
            news.service_kind = &told.service_kind;
            Ok(keep(tx, &news).await.map(drop)?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderAssigned>| {
            let told = &event.data;
            let mut news = news(&told.order_id, &told.client_id, &told.service_name, "assigned")?;
            news.service_kind = &told.service_kind;
            let reader = id(&told.reader_id)?;
            let booking = keep(tx, &news).await?;
            Ok(assign(&assigning, tx, &booking, reader).await?)
        });
    told_of(consumer)
        .on(async move |tx: &mut Tx, event: Incoming<OrderDelivered>| {
            let told = &event.data;
            let news = news(&told.order_id, &told.client_id, &told.service_name, "delivered")?;
            if let Some(session) = keep(tx, &news).await?.session_id {
                let end = delivering.now() + delivering.settings.grace();
                sessions::set_end(tx, session, end).await?;
            }
            Ok(())
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderCancelled>| {
            let told = &event.data;
            let news = news(&told.order_id, &told.client_id, &told.service_name, "cancelled")?;
            if let Some(session) = keep(tx, &news).await?.session_id {
                cancelling.end_session(tx, session, "").await?;
            }
            Ok(())
        })
}

/// What only changes the order's status.
fn told_of(consumer: Consumer) -> Consumer {
    consumer
        .on(async |tx: &mut Tx, event: Incoming<OrderSubmitted>| {
            let told = &event.data;
            let news = news(&told.order_id, &told.client_id, &told.service_name, "submitted")?;
            Ok(keep(tx, &news).await.map(drop)?)
        })
        .on(async |tx: &mut Tx, event: Incoming<OrderApproved>| {
            let told = &event.data;
            let news = news(&told.order_id, &told.client_id, &told.service_name, "delivered")?;
            Ok(keep(tx, &news).await.map(drop)?)
        })
        .on(async |tx: &mut Tx, event: Incoming<OrderRejected>| {
            let told = &event.data;
            let news = news(&told.order_id, &told.client_id, &told.service_name, "assigned")?;
            Ok(keep(tx, &news).await.map(drop)?)
        })
}

fn news<'n>(order: &str, client: &str, service: &'n str, status: &'n str) -> Result<News<'n>, Failure> {
    Ok(News {
        id: id(order)?,
        client_id: id(client)?,
        service_name: service,
        service_kind: "",
        status,
    })
}

async fn keep(tx: &mut Tx, news: &News<'_>) -> Result<Booking, Error> {
    Ok(bookings::keep(tx, news).await?)
}

/// Opens the order's conversation, or gives it to another reader.
async fn assign(state: &Chat, tx: &mut Tx, booking: &Booking, reader: Uuid) -> Result<(), Error> {
    let session = match booking.session_id {
        None => {
            let opening = Opening {
                kind: SessionKind::Booking,
                booking_id: Some(booking.id),
                people: vec![
                    (booking.client_id, "client".to_owned()),
                    (reader, "reader".to_owned()),
                ],
                encrypted: false,
                metadata: None,
                actor: None,
            };
            state.open_session(tx, opening).await?
        }
        Some(session) => {
            reassign(state, tx, booking, (session, reader)).await?;
            session
        }
    };
    bookings::set(tx, booking.id, reader, session).await?;
    Ok(())
}

async fn reassign(
    state: &Chat,
    tx: &mut Tx,
    booking: &Booking,
    (session, reader): (Uuid, Uuid),
) -> Result<(), Error> {
    let Some(row) = sessions::lock(tx, session).await? else {
        return Ok(());
    };
    let now = state.now();
    let former = booking.reader_id.filter(|former| *former != reader);
    if let Some(former) = former.filter(|former| *former != booking.client_id)
        && sessions::leave(tx, session, former, now).await?
    {
        state.push_left(tx, session, former);
    }
    if sessions::join(tx, session, (reader, "reader"), now).await? {
        state.push_joined(tx, session, reader, SessionKind::Booking);
    }
    state.tell_updated(tx, &row, "").await
}
