//! Reminders, and the end of appointments.

use parlour_db::{Scope, Tx};

use super::BATCH;
use crate::domain::appointment::{self, Action, Party, Status};
use crate::error::Error;
use crate::state::Orders;
use crate::store::agenda;
use crate::store::appointments::{self, Appointment, Change};
use crate::telling;

/// Reminds of what is near: of each distance once, and after a stand-still only of the nearest.
pub(super) async fn remind(state: &Orders) -> Result<(), Error> {
    let mut distances = state.settings.reminder_minutes.clone();
    distances.sort_unstable();
    let now = state.now();
    for minutes in distances {
        loop {
            let told = state
                .db
                .write(Scope::Service, async move |tx: &mut Tx| -> Result<usize, Error> {
                    let due = agenda::take_due(tx, now, minutes, BATCH).await?;
                    for row in &due {
                        telling::about_appointment(tx, row, &telling::due(row, minutes)).await?;
                    }
                    Ok(due.len())
                })
                .await?;
            if told == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Completes what was confirmed and is over, and cancels what nobody had confirmed when its time came.
pub(super) async fn end(state: &Orders) -> Result<(), Error> {
    loop {
        let shared = state.clone();
        let ended = state
            .db
            .write(Scope::Service, async move |tx: &mut Tx| -> Result<usize, Error> {
                let now = shared.now();
                let ended = now - shared.settings.completion();
                let rows = agenda::lock_over(tx, ended, now, BATCH).await?;
                let count = rows.len();
                for row in rows {
                    end_one(&shared, tx, row).await?;
                }
                Ok(count)
            })
            .await?;
        if ended == 0 {
            return Ok(());
        }
    }
}

async fn end_one(state: &Orders, tx: &mut Tx, mut row: Appointment) -> Result<(), Error> {
    let (status, now) = (row.status()?, state.now());
    let action = match status {
        Status::Confirmed => Action::Complete,
        _ => Action::Expire,
    };
    let Ok(to) = appointment::decide(action, status, row.phase(now), &[Party::Platform]) else {
        return Ok(());
    };
    let change = Change {
        status: to,
        reason_sealed: None,
        reminded: row.reminded,
        now,
    };
    appointments::set(tx, row.id, &change).await?;
    row.set_status(to);
    match to {
        Status::Completed => telling::about_appointment(tx, &row, &telling::completed(&row)).await?,
        _ => telling::about_appointment(tx, &row, &telling::called_off(&row, None)).await?,
    }
    Ok(())
}
