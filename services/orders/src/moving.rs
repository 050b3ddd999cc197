//! How an order is moved: locked, checked against the table, written, told.

use chrono::{DateTime, Utc};
use parlour_db::{DbError, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Origin, Reply};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::{self, Action, Refusal, Status};
use crate::error::Error;
use crate::state::Orders;
use crate::store::history;
use crate::store::moves::{self, Move};
use crate::store::orders::{self, Order};
use crate::store::readers::{self, Candidate};
use crate::telling;
use crate::view::{self, OrderView};
use crate::viewer::Viewer;

/// A person who moves an order, and from where.
#[derive(Clone, Debug)]
pub struct Mover {
    /// Who.
    pub viewer: Viewer,
    /// From where.
    pub origin: Origin,
    /// The order's version as they know it.
    pub expected_version: Option<i64>,
}

/// `{order}`
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderData {
    /// The order as it is now.
    pub order: OrderView,
}

/// A move that was found legal, on an order that is locked.
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

impl Begun {
    /// What the move writes.
    pub fn step<'s>(&'s self, state: &Orders, actor: Option<Uuid>, reason: Option<&'s [u8]>) -> Move<'s> {
        Move {
            order: &self.order,
            action: self.action,
            to: self.to,
            actor,
            reason,
            now: self.now,
            due_at: state.due_at(&self.order, self.to, self.now),
        }
    }

    /// The order as it is after the move.
    pub fn done(mut self, version: i64) -> Order {
        self.order.set_status(self.to);
        self.order.version = version;
        self.order.updated_at = self.now;
        self.order.waits_since = self.now;
        self.order
    }
}

impl Orders {
    /// Locks an order and finds out whether this person may do this with it now.
    /// `choose` says which action it is once the order's status is known.
    pub async fn begin(
        &self,
        tx: &mut Tx,
        id: Uuid,
        mover: &Mover,
        choose: impl FnOnce(Status) -> Action + Send,
    ) -> Result<Begun, Error> {
        let order = orders::lock(tx, id, &mover.viewer).await?;
        let status = order.status()?;
        let action = choose(status);
        let to = order::decide(action, status, &mover.viewer.parties(&order)).map_err(
            |refusal| match refusal {
                Refusal::NotYours => Error::Forbidden("this is not for you to do with this order"),
                Refusal::Stake => Error::Forbidden("you have a stake in this order"),
                Refusal::State => Error::state("status", status.name()),
            },
        )?;
        if mover
            .expected_version
            .is_some_and(|expected| expected != order.version)
        {
            return Err(Error::Stale(order.version));
        }
        Ok(Begun {
            order,
            action,
            to,
            now: self.now(),
        })
    }

    /// Seals the reason of the move that an order's next version comes from.
    pub fn sealed_reason(&self, order: &Order, reason: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
        let place = history::reason_place(order.id, order.version + 1);
        Ok(reason
            .map(|text| self.vault.seal_text(&place, text))
            .transpose()?)
    }

    /// Tells `news` of a move, adds the line of the audit log about it, and answers.
    pub async fn finish(
        &self,
        tx: &mut Tx,
        mover: &Mover,
        done: (Action, &str),
        order: &Order,
        news: Batch,
    ) -> Result<Reply, Error> {
        let (action, before) = done;
        let change = (
            Some(json!({ "status": before })),
            Some(
                json!({ "status": order.status_name(), "reader_id": order.reader_id, "version": order.version }),
            ),
        );
        let name = format!("order.{action}");
        let line = telling::entry(&mover.origin, &name, ("order", order.id), change);
        news.audit(line).write(tx).await?;
        Ok(answer(order, &mover.viewer)?)
    }

    /// Gives a locked order to a reader. Answers it, and what there is to tell.
    pub async fn give(
        &self,
        tx: &mut Tx,
        begun: Begun,
        reader: Candidate,
        actor: Option<Uuid>,
    ) -> Result<(Order, Batch), Error> {
        let former = begun.order.reader_id;
        let version = moves::assign(tx, &begun.step(self, actor, None), reader.id).await?;
        let mut order = begun.done(version);
        order.reader_id = Some(reader.id);
        order.reader_name = Some(reader.display_name);
        let news = telling::assigned(&order, former, actor);
        let news = Batch::default().event(telling::aggregate(&order), &news);
        Ok((order, news))
    }

    /// Gives a locked order to the reader who should have it, if it waits for one and
    /// there is one. Answers whether it did.
    pub async fn give_to_somebody(&self, tx: &mut Tx, order: Order) -> Result<bool, Error> {
        if !self.settings.auto_assign || order.status()? != Status::Pending || order.waits_for_payment() {
            return Ok(false);
        }
        readers::take_turns(tx).await?;
        let Some(reader) = readers::choose(tx, &order).await? else {
            return Ok(false);
        };
        let begun = Begun {
            order,
            action: Action::Assign,
            to: Status::Assigned,
            now: self.now(),
        };
        let (_, news) = self.give(tx, begun, reader, None).await?;
        news.write(tx).await?;
        Ok(true)
    }

    /// Ends a locked order in the name of the platform.
    pub async fn call_off(&self, tx: &mut Tx, order: Order) -> Result<(), Error> {
        let begun = Begun {
            order,
            action: Action::Cancel,
            to: Status::Cancelled,
            now: self.now(),
        };
        let version = moves::plain(tx, &begun.step(self, None, None)).await?;
        let order = begun.done(version);
        telling::about(tx, &order, &telling::cancelled(&order, None)).await?;
        Ok(())
    }

    /// The order, locked, if there is one.
    pub async fn lock_any(&self, tx: &mut Tx, id: Uuid) -> Result<Option<Order>, DbError> {
        orders::lock_any(tx, id).await
    }
}

/// 200 with the order.
pub fn answer(order: &Order, viewer: &Viewer) -> Result<Reply, ApiError> {
    let order = view::order(order, viewer).map_err(ApiError::from)?;
    Reply::ok(OrderData { order })
}
