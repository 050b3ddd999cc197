//! identity and ops: somebody is to be forgotten.

use std::sync::Arc;

use parlour_contracts::identity::v1::AccountDeleted;
use parlour_contracts::ops::v1::PrivacyEraseRequested;
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};
use uuid::Uuid;

use super::id;
use crate::domain::appointment::Status;
use crate::error::Error;
use crate::state::Orders;
use crate::store::appointments::{self, Change};
use crate::store::{agenda, availability, erasure, waiting};
use crate::telling;

/// Forgets people. Whoever hears of it first does it; the second finds nothing left.
pub(super) fn handle(consumer: Consumer, state: &Arc<Orders>) -> Consumer {
    let (deleting, erasing) = (state.clone(), state.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<AccountDeleted>| {
            Ok(forget(&deleting, tx, id(&event.data.account_id)?).await?)
        })
        .on(async move |tx: &mut Tx, event: Incoming<PrivacyEraseRequested>| {
            Ok(forget(&erasing, tx, id(&event.data.account_id)?).await?)
        })
}

/// Ends what the person still waited for, and deletes what was written by and for them.
async fn forget(state: &Orders, tx: &mut Tx, person: Uuid) -> Result<(), Error> {
    for order in waiting::lock_open_of(tx, person).await? {
        state.call_off(tx, order).await?;
    }
    let now = state.now();
    for mut appointment in agenda::lock_ahead_of(tx, person, now).await? {
        let change = Change {
            status: Status::Cancelled,
            reason_sealed: None,
            reminded: appointment.reminded,
            now,
        };
        appointments::set(tx, appointment.id, &change).await?;
        appointment.set_status(Status::Cancelled);
        let told = telling::called_off(&appointment, None);
        telling::about_appointment(tx, &appointment, &told).await?;
    }
    availability::delete(tx, person).await?;
    erasure::erase(tx, person).await?;
    Ok(())
}
