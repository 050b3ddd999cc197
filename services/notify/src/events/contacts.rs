//! Where people can be reached: `identity.contact.changed`.

use std::sync::Arc;

use parlour_contracts::identity::v1::ContactChanged;
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};

use super::id;
use crate::state::Notify;
use crate::store::contacts::{self, NewContact};

/// Registers the handler. Addresses stay sealed as they came.
pub(super) fn handle(consumer: Consumer, _: &Arc<Notify>) -> Consumer {
    consumer.on(
        async |tx: &mut Tx, event: Incoming<ContactChanged>| -> Result<(), Failure> {
            let given = |sealed: Vec<u8>| Some(sealed).filter(|bytes| !bytes.is_empty());
            let contact = NewContact {
                account_id: id(&event.data.account_id)?,
                email_sealed: given(event.data.email_sealed),
                phone_sealed: given(event.data.phone_sealed),
                email_verified: event.data.email_verified,
                phone_verified: event.data.phone_verified,
                version: event.version,
            };
            Ok(contacts::put(tx, &contact).await?)
        },
    )
}
