//! Orders that wait for too long: the monitors hear of each once.

use parlour_db::{Scope, Tx};

use super::BATCH;
use crate::domain::order::Status;
use crate::error::Error;
use crate::state::Orders;
use crate::store::waiting;
use crate::telling;

/// Tells of all that are overdue now.
pub(super) async fn run(state: &Orders) -> Result<(), Error> {
    let now = state.now();
    loop {
        let told = state
            .db
            .write(Scope::Service, async move |tx: &mut Tx| -> Result<usize, Error> {
                let orders = waiting::take_overdue(tx, now, BATCH).await?;
                for order in &orders {
                    let waits_for = match order.status()? {
                        Status::Pending => "assignment",
                        Status::Assigned => "result",
                        Status::Submitted => "review",
                        Status::Delivered | Status::Cancelled => continue,
                    };
                    telling::about(tx, order, &telling::overdue(order, waits_for)).await?;
                }
                Ok(orders.len())
            })
            .await?;
        if told == 0 {
            return Ok(());
        }
    }
}
