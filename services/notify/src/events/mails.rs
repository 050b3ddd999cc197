//! Mails about accounts: `identity.email.requested`. They are deliveries without a
//! notification: what they carry opens an account, and is never listed.

use std::sync::Arc;

use chrono::DateTime;
use parlour_contracts::identity::v1::EmailRequested;
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};

use super::id;
use crate::dispatch::{Handover, Mail};
use crate::domain::Channel;
use crate::state::Notify;
use crate::store::deliveries::{self, NewMail};
use crate::telling::after_commit;

/// Registers the handler.
pub(super) fn handle(consumer: Consumer, notify: &Arc<Notify>) -> Consumer {
    let notify = notify.clone();
    consumer.on(
        async move |tx: &mut Tx, event: Incoming<EmailRequested>| -> Result<(), Failure> {
            let mail = new_mail(&notify, &event)?;
            deliveries::insert_mail(tx, &mail).await?;
            let handover = Handover {
                due: [Channel::Email].into(),
                ..Handover::default()
            };
            after_commit(&notify, tx, handover);
            Ok(())
        },
    )
}

/// Opens what identity sealed with the contacts key and seals it as notify's own.
fn new_mail(notify: &Notify, event: &Incoming<EmailRequested>) -> Result<NewMail, Failure> {
    let told = &event.data;
    let open = |field: &str, sealed: &[u8]| {
        let place = format!("email_requested.{field}:{}", told.account_id);
        notify.contacts.open_text(&place, sealed).map_err(Failure::retry)
    };
    let data = open("data", &told.data_sealed)?;
    let mail = Mail {
        address: open("address", &told.address_sealed)?,
        locale: told.locale.clone(),
        data: serde_json::from_str(&data)
            .map_err(|_| Failure::poison("the mail's data is no JSON object"))?,
    };
    let plain = serde_json::to_vec(&mail).map_err(Failure::poison)?;
    // The event's own id, so that there is one mail for one event, and one key for the provider.
    let sealed = notify
        .vault
        .seal(&NewMail::place(event.id), &plain)
        .map_err(Failure::retry)?;
    let account = id(&told.account_id)?;
    let mut mail = NewMail::new(event.id, account, &told.template, sealed, notify.clock.now());
    mail.expires_at = DateTime::from_timestamp_millis(told.expires_ms).filter(|_| told.expires_ms > 0);
    Ok(mail)
}
