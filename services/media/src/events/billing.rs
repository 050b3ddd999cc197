//! billing: what a person's plan allows.

use parlour_contracts::billing::v1::QuotaChanged;
use parlour_db::Tx;
use parlour_events::{Consumer, Incoming};

use super::id;
use crate::store::quotas;

/// Keeps what plans allow. Less than is used takes nothing away, but nothing more comes in.
pub(super) fn handle(consumer: Consumer) -> Consumer {
    consumer.on(async |tx: &mut Tx, event: Incoming<QuotaChanged>| {
        let (person, told) = (id(&event.data.account_id)?, &event.data);
        Ok(quotas::set_plan(tx, person, &told.plan, told.media_bytes.max(0)).await?)
    })
}
