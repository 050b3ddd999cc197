//! Events that are read one by one and take effect together.

use std::any::Any;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parlour_db::Tx;

use super::HandlerFuture;
use crate::Failure;

/// What is done about all that the events of one transaction say. Where it costs the same for one
/// as for many, such as an `INSERT`, a consumer that is behind catches up the faster. It has to take its
/// locks in one order, whatever the order of the events.
pub struct Gather<S>(Arc<dyn Settle<S>>);

impl<S> Clone for Gather<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Send + 'static> Gather<S> {
    /// `work` is done once in a transaction, behind the handlers of its events, with what was
    /// read from these in their order. It may run again with other events beside them.
    pub fn new<F>(work: F) -> Self
    where
        for<'t> F: AsyncFnOnce(&'t mut Tx, Vec<S>) -> Result<(), Failure>
            + HandlerFuture<&'t mut Tx, Vec<S>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        Self(Arc::new(Work(work)))
    }
}

trait Settle<S>: Send + Sync {
    fn settle<'t>(&self, tx: &'t mut Tx, said: Vec<S>) -> BoxFuture<'t, Result<(), Failure>>;
}

struct Work<F>(F);

impl<S, F> Settle<S> for Work<F>
where
    S: Send + 'static,
    for<'t> F: AsyncFnOnce(&'t mut Tx, Vec<S>) -> Result<(), Failure>
        + HandlerFuture<&'t mut Tx, Vec<S>>
        + Clone
        + Send
        + Sync
        + 'static,
{
    fn settle<'t>(&self, tx: &'t mut Tx, said: Vec<S>) -> BoxFuture<'t, Result<(), Failure>> {
        let work = self.0.clone();
        async move { work(tx, said).await }.boxed()
    }
}

/// What the events of a transaction have said so far.
#[derive(Default)]
pub(super) struct Gathered(Vec<Box<dyn Pile>>);

trait Pile: Any + Send {
    fn settle(self: Box<Self>, tx: &mut Tx) -> BoxFuture<'_, Result<(), Failure>>;
}

/// What is settled by one [`Gather`].
struct Said<S> {
    by: Gather<S>,
    said: Vec<S>,
}

impl<S: Send + 'static> Pile for Said<S> {
    fn settle(self: Box<Self>, tx: &mut Tx) -> BoxFuture<'_, Result<(), Failure>> {
        self.by.0.settle(tx, self.said)
    }
}

impl Gathered {
    pub(super) fn add<S: Send + 'static>(&mut self, by: &Gather<S>, thing: S) {
        let known = self.0.iter_mut().find_map(|pile| {
            let pile: &mut dyn Any = &mut **pile;
            let pile = pile.downcast_mut::<Said<S>>()?;
            Arc::ptr_eq(&pile.by.0, &by.0).then_some(pile)
        });
        match known {
            Some(pile) => pile.said.push(thing),
            None => self.0.push(Box::new(Said {
                by: by.clone(),
                said: vec![thing],
            })),
        }
    }

    /// Does what is to be done about all of it.
    pub(super) async fn settle(self, tx: &mut Tx) -> Result<(), Failure> {
        for pile in self.0 {
            pile.settle(tx).await?;
        }
        Ok(())
    }
}
