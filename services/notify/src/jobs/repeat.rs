//! Emergencies are told again until they are acknowledged.

use std::sync::Arc;

use parlour_db::{DbError, Scope, Tx};

use crate::domain::Priority;
use crate::domain::decision::Matter;
use crate::error::Error;
use crate::state::Notify;
use crate::store::emergencies::{self, Repeating};
use crate::store::{deliveries, recipients};
use crate::telling::{Case, Plan, Round, after_commit, deliveries_of};
use crate::view;

/// Emergencies that are repeated in one transaction.
const BATCH: i64 = 50;

/// Repeats what is due.
pub(super) async fn run(notify: Arc<Notify>) -> Result<(), DbError> {
    loop {
        let shared = notify.clone();
        let work = async move |tx: &mut Tx| -> Result<usize, Error> { batch(&shared, tx).await };
        match notify.db.write(Scope::Service, work).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Error::Db(error)) => return Err(error),
            Err(error) => {
                tracing::error!(%error, "emergencies cannot be repeated");
                return Ok(());
            }
        }
    }
}

async fn batch(notify: &Arc<Notify>, tx: &mut Tx) -> Result<usize, Error> {
    let now = notify.clock.now();
    let due = emergencies::due(tx, now, BATCH).await?;
    for emergency in &due {
        let next = now + notify.settings.emergency.pause(emergency.round + 1);
        emergencies::repeated(tx, emergency.notification.id, next).await?;
        again(notify, tx, emergency).await?;
    }
    Ok(due.len())
}

async fn again(notify: &Arc<Notify>, tx: &mut Tx, emergency: &Repeating) -> Result<(), Error> {
    let row = &emergency.notification;
    let rules = notify.rules.get(tx).await?;
    let now = notify.clock.now();
    let Some(person) = recipients::by_id(tx, vec![row.account_id]).await?.pop() else {
        return Ok(());
    };
    if crate::telling::gone(&person.status).is_some() {
        return Ok(());
    }
    let matter = Matter {
        kind: &row.kind,
        priority: Priority::Emergency,
        required: false,
        channels: None,
        expires_at: row.expires_at,
    };
    let content = view::content_of(&notify.vault, row)?;
    let plan = Plan::again(&rules, &matter, (row.id, content), person, now)?;
    let round = Round {
        kind: &row.kind,
        priority: Priority::Emergency,
        number: emergency.round + 1,
        created_at: row.created_at,
        now,
        expires_at: row.expires_at,
    };
    let span = tracing::Span::current();
    let case = Case {
        round,
        plan,
        job: None,
        span,
    };
    let (deliveries, handover) = deliveries_of(notify, tx, &[case], now).await?;
    deliveries::insert(tx, deliveries).await?;
    after_commit(notify, tx, handover);
    Ok(())
}
