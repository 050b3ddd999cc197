//! What the other services are told of those who were told something.

use parlour_contracts::notify::v1::{JobAdvanced, NotificationCreated, job_advanced};
use parlour_db::{DbError, Tx};
use parlour_events::Many;

use super::Case;

/// What tells the other services of new notifications, but for those of jobs.
pub(super) fn created(tx: &mut Tx, cases: &[Case<'_>]) -> Result<Many<NotificationCreated>, DbError> {
    let mut events = Many::default();
    for case in cases.iter().filter(|case| case.job.is_none()) {
        let account = case.plan.person.id;
        let event = NotificationCreated {
            notification_id: case.plan.id.to_string(),
            account_id: account.to_string(),
            kind: case.round.kind.to_owned(),
            priority: case.round.priority.name().to_owned(),
        };
        let _in_its_trace = case.span.enter();
        events.add(tx, format!("account:{account}"), &event)?;
    }
    Ok(events)
}

/// What tells them of a step of a job: one event for all whom it told.
pub(super) fn advanced(tx: &mut Tx, cases: &[Case<'_>]) -> Result<Many<JobAdvanced>, DbError> {
    let mut events = Many::default();
    for step in cases.chunk_by(|one, next| one.job == next.job) {
        let Some((first, job)) = step.first().and_then(|first| Some((first, first.job?))) else {
            continue;
        };
        let told = step.iter().map(|case| job_advanced::Told {
            notification_id: case.plan.id.to_string(),
            account_id: case.plan.person.id.to_string(),
        });
        let event = JobAdvanced {
            job_id: job.to_string(),
            kind: first.round.kind.to_owned(),
            priority: first.round.priority.name().to_owned(),
            told: told.collect(),
        };
        let _in_its_trace = first.span.enter();
        events.add(tx, format!("job:{job}"), &event)?;
    }
    Ok(events)
}
