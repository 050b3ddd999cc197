//! Sending: what is due is claimed by a lease, sent outside of any transaction, and marked
//! with one statement.
//!
//! A process that dies before it sends loses nothing: the lease runs out and another
//! process takes over. One that dies after a provider took the message and before the
//! mark sends it again; the delivery's id is the same, so that a provider that takes
//! keys of idempotency sends one message, and an e-mail has the same `Message-ID`.

mod carrier;
mod compose;
mod sockets;
mod words;
mod worker;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify as Bell, mpsc};
use tokio_util::sync::CancellationToken;

pub use carrier::{Carrier, NoProviders};
pub(crate) use compose::{Mail, PushAddress};
pub use sockets::SocketPush;
pub(crate) use sockets::push;

use crate::domain::Channel;
use crate::state::Notify;

/// Pushes that wait for the sockets in memory at the most. What does not fit is sent when
/// its lease runs out.
const WAITING: usize = 50_000;

/// The way from a commit to who sends. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    sockets: mpsc::Sender<SocketPush>,
    bells: Arc<[Bell; 4]>,
}

/// What goes out once a transaction has committed.
#[derive(Debug, Default)]
pub struct Handover {
    /// Pushes, whose deliveries this process has claimed.
    pub pushes: Vec<SocketPush>,
    /// The channels on which something else is due now. To look for it costs a query, so that
    /// nobody looks who has no reason to.
    pub due: BTreeSet<Channel>,
}

impl Outbound {
    /// A way, and its end for [`tasks`].
    pub fn new() -> (Self, mpsc::Receiver<SocketPush>) {
        let (sockets, receiver) = mpsc::channel(WAITING);
        let bells = Arc::default();
        (Self { sockets, bells }, receiver)
    }

    /// Hands pushes over and wakes who sends the rest. Never waits.
    pub fn hand(&self, handover: Handover) {
        for push in handover.pushes {
            if self.sockets.try_send(push).is_err() {
                tracing::warn!("the sockets are behind: pushes wait for their lease to end");
                break;
            }
        }
        for channel in handover.due {
            self.bell(channel).notify_one();
        }
    }

    fn bell(&self, channel: Channel) -> &Bell {
        let [socket, email, sms, push] = &*self.bells;
        match channel {
            Channel::Socket => socket,
            Channel::Email => email,
            Channel::Sms => sms,
            Channel::Push => push,
        }
    }
}

/// What sends, until `stop`: what is being sent then is finished.
pub fn tasks(
    notify: &Arc<Notify>,
    carrier: &Arc<dyn Carrier>,
    pushes: mpsc::Receiver<SocketPush>,
    stop: &CancellationToken,
) -> Vec<BoxFuture<'static, ()>> {
    let mut tasks: Vec<BoxFuture<'static, ()>> = Vec::new();
    tasks.push(Box::pin(sockets::run(notify.clone(), pushes, stop.clone())));
    for channel in Channel::ALL {
        let worker = worker::run(channel, notify.clone(), carrier.clone(), stop.clone());
        tasks.push(Box::pin(worker));
    }
    tasks
}
