//! orders: the files of results.

use std::sync::Arc;

use parlour_contracts::id as new;
use parlour_contracts::orders::v1::{OrderDelivered, OrderSubmitted};
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};
use uuid::Uuid;

use super::{id, ids};
use crate::state::Media;
use crate::store::results;
use crate::store::shares::{self, NewShare};

/// Lets those who review results read their files, and the client once the result is delivered.
pub(super) fn handle(consumer: Consumer, state: &Arc<Media>) -> Consumer {
    let delivering = state.clone();
    consumer
        .on(async |tx: &mut Tx, event: Incoming<OrderSubmitted>| {
            let (order, reader) = (id(&event.data.order_id)?, id(&event.data.reader_id)?);
            Ok(results::submitted(tx, order, reader, &ids(&event.data.media_ids)?).await?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<OrderDelivered>| {
            deliver(&delivering, tx, &event.data).await
        })
}

async fn deliver(state: &Media, tx: &mut Tx, event: &OrderDelivered) -> Result<(), Failure> {
    let (order, client, reader) = (id(&event.order_id)?, id(&event.client_id)?, id(&event.reader_id)?);
    let files: Vec<Uuid> = results::owned(tx, reader, &ids(&event.media_ids)?).await?;
    for file_id in files {
        let share = NewShare {
            id: new::new(),
            file_id,
            owner_id: reader,
            account_ids: &[client],
            order_id: Some(order),
            token_hash: None,
            expires_at: None,
            uses_left: None,
            now: state.now(),
        };
        shares::insert(tx, &share).await?;
    }
    Ok(())
}
