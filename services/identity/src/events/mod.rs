//! Events of other services that change what identity knows of a person.

use parlour_contracts::billing::v1::GuideApproved;
use parlour_contracts::media::v1::AvatarChanged;
use parlour_contracts::moderation::v1::{UserBlocked, UserUnblocked};
use parlour_contracts::ops::v1::PrivacyEraseRequested;
use parlour_contracts::orders::v1::{AppointmentBooked, AppointmentCompleted};
use parlour_contracts::wellbeing::v1::{GoalCompleted, GoalSet};
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};
use std::sync::Arc;
use uuid::Uuid;

use crate::state::Identity;
use crate::store::profiles::{self, Counter};

mod avatar;
mod erased;
mod power;

/// Everything that identity listens to.
pub fn consumer(state: &Arc<Identity>) -> Consumer {
    let consumer = Consumer::new(crate::NAME);
    let consumer = power(consumer, state);
    let pictures = state.clone();
    let consumer = consumer.on(async move |tx: &mut Tx, event: Incoming<AvatarChanged>| {
        avatar::change(&pictures, tx, account(&event.data.owner_id)?, event.data.url).await
    });
    counters(consumer)
}

fn power(consumer: Consumer, state: &Arc<Identity>) -> Consumer {
    let (blocking, unblocking, guide, erasing) = (state.clone(), state.clone(), state.clone(), state.clone());
    consumer
        .on(async move |tx: &mut Tx, event: Incoming<UserBlocked>| {
            power::block(&blocking, tx, account(&event.data.account_id)?).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<UserUnblocked>| {
            power::unblock(&unblocking, tx, account(&event.data.account_id)?).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<GuideApproved>| {
            power::make_guide(&guide, tx, account(&event.data.account_id)?).await
        })
        .on(async move |tx: &mut Tx, event: Incoming<PrivacyEraseRequested>| {
            erased::erase(&erasing, tx, account(&event.data.account_id)?).await
        })
}

fn counters(consumer: Consumer) -> Consumer {
    consumer
        .on(async |tx: &mut Tx, event: Incoming<AppointmentBooked>| {
            count(tx, &event.data.client_id, Counter::AppointmentBooked).await
        })
        .on(async |tx: &mut Tx, event: Incoming<AppointmentCompleted>| {
            count(tx, &event.data.client_id, Counter::AppointmentCompleted).await
        })
        .on(async |tx: &mut Tx, event: Incoming<GoalSet>| {
            count(tx, &event.data.account_id, Counter::GoalSet).await
        })
        .on(async |tx: &mut Tx, event: Incoming<GoalCompleted>| {
            count(tx, &event.data.account_id, Counter::GoalCompleted).await
        })
}

async fn count(tx: &mut Tx, id: &str, counter: Counter) -> Result<(), Failure> {
    profiles::count(tx, account(id)?, counter).await?;
    Ok(())
}

fn account(id: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(id).map_err(Failure::poison)
}
