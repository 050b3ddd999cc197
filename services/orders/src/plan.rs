//! What a move does, before it is done.

use chrono::{DateTime, Utc};
use parlour_events::Batch;
use serde_json::json;

use crate::domain::order::{Action, Status};
use crate::moving::Mover;
use crate::store::moves::Change;
use crate::store::orders::Order;
use crate::telling;

/// A move that was found legal.
#[derive(Debug)]
pub struct Begun {
    /// The order before.
    pub order: Order,
    /// What is done.
    pub action: Action,
    /// Where it leads.
    pub to: Status,
    /// When.
    pub now: DateTime<Utc>,
}

/// What a move does.
#[derive(Debug)]
pub struct Plan {
    /// The move.
    pub begun: Begun,
    /// The order after it.
    pub order: Order,
    /// What changes besides its state.
    pub change: Change,
    /// Why, sealed.
    pub reason: Option<Vec<u8>>,
    /// What others are told.
    pub news: Batch,
}

impl Begun {
    /// The order as it is after the move.
    pub fn after(&self) -> Order {
        let mut order = self.order.clone();
        order.set_status(self.to);
        order.version += 1;
        order.updated_at = self.now;
        order.waits_since = self.now;
        order
    }

    /// A move that changes nothing besides the order's state.
    pub fn plan(self, order: Order, news: Batch) -> Plan {
        Plan {
            begun: self,
            order,
            change: Change::Nothing,
            reason: None,
            news,
        }
    }
}

impl Plan {
    /// Adds the line of the audit log about it.
    #[must_use]
    pub fn audited(mut self, mover: &Mover) -> Self {
        let order = &self.order;
        let change = (
            Some(json!({ "status": self.begun.order.status_name() })),
            Some(
                json!({ "status": order.status_name(), "reader_id": order.reader_id, "version": order.version }),
            ),
        );
        let name = format!("order.{}", self.begun.action);
        let line = telling::entry(&mover.origin, &name, ("order", order.id), change);
        self.news = self.news.audit(line);
        self
    }
}
