//! How an order is moved: looked at, checked against the table, written and told, unless somebody else was faster.

use std::sync::Arc;

use parlour_db::{Conn, DbError, Scope, Tx};
use parlour_events::Batch;
use parlour_http::{ApiError, Once, Origin, Reply};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::order::{self, Action, Refusal, Status};
use crate::error::Error;
use crate::plan::{Begun, Plan};
use crate::state::Orders;
use crate::store::history;
use crate::store::moves::{self, Change, Move};
use crate::store::orders::{self, Order};
use crate::store::readers::{self, Candidate};
use crate::store::seen::{self, Besides, Seen};
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

impl Orders {
    /// Moves an order that the caller may know of as `plan` says, to which it says what was seen of it; once.
    /// Answers the order.
    pub async fn moved(
        &self,
        once: Once,
        mover: Mover,
        id: Uuid,
        besides: Besides,
        plan: impl Fn(&Orders, &Mover, Seen) -> Result<Plan, Error> + Send + Sync + 'static,
    ) -> Result<Reply, ApiError> {
        let (scope, sees) = (mover.viewer.scope(), mover.viewer.clone());
        let look = async move |conn: &Conn| seen::look(conn, id, &sees, &besides).await;
        let shared = Arc::new((self.clone(), mover, plan));
        let write = async move |(tx, seen): (&mut Tx, Seen)| -> Result<Option<Reply>, Error> {
            let (state, mover, plan) = &*shared;
            let plan = plan(state, mover, seen)?.audited(mover);
            let order = state.write(tx, scope, Some(mover.viewer.id), plan).await?;
            Ok(order.map(|order| answer(&order, &mover.viewer)).transpose()?)
        };
        once.write_seen(scope, look, write).await
    }

    /// Finds out whether this person may do this with an order now. `choose` says which action it is
    /// once the order's status is known.
    pub fn begin(
        &self,
        order: Order,
        mover: &Mover,
        choose: impl FnOnce(Status) -> Action,
    ) -> Result<Begun, Error> {
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

    /// Writes a move. Answers the order after it, or `None` when somebody else moved it since it was read.
    async fn write(
        &self,
        tx: &mut Tx,
        scope: Scope,
        actor: Option<Uuid>,
        plan: Plan,
    ) -> Result<Option<Order>, Error> {
        let begun = &plan.begun;
        let news = plan.news.announce(tx)?;
        let step = Move {
            order: &begun.order,
            action: begun.action,
            to: begun.to,
            actor,
            reason: plan.reason.as_deref(),
            now: begun.now,
            due_at: self.due_at(&begun.order, begun.to, begun.now),
            change: &plan.change,
        };
        let written = moves::write(tx, &scope.into(), &step, &news).await?;
        Ok(written.then_some(plan.order))
    }

    /// How an order is given to a reader.
    pub fn giving(&self, begun: Begun, reader: Candidate, actor: Option<Uuid>) -> Plan {
        let former = begun.order.reader_id;
        let mut order = begun.after();
        order.reader_id = Some(reader.id);
        order.reader_name = Some(reader.display_name);
        let news = telling::assigned(&order, former, actor);
        let news = Batch::default().event(telling::aggregate(&order), &news);
        Plan {
            change: Change::Reader(reader.id),
            ..begun.plan(order, news)
        }
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
        self.write_locked(tx, self.giving(begun, reader, None)).await?;
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
        let order = begun.after();
        let news = Batch::default().event(telling::aggregate(&order), &telling::cancelled(&order, None));
        self.write_locked(tx, begun.plan(order, news)).await
    }

    /// Writes what the platform does with an order that is locked.
    async fn write_locked(&self, tx: &mut Tx, plan: Plan) -> Result<(), Error> {
        let written = self.write(tx, Scope::Service, None, plan).await?;
        // Behind its lock nobody else moves it: that would be a mistake of ours.
        written.map(drop).ok_or(Error::Db(DbError::NotFound))
    }

    /// The order, locked, if there is one.
    pub async fn lock_any(&self, tx: &mut Tx, id: Uuid) -> Result<Option<Order>, DbError> {
        orders::lock_any(tx, id).await
    }
}

/// 200 with the order.
fn answer(order: &Order, viewer: &Viewer) -> Result<Reply, ApiError> {
    let order = view::order(order, viewer).map_err(ApiError::from)?;
    Reply::ok(OrderData { order })
}
