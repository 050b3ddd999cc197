//! Acknowledgements, several at a time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use lapin::Channel;
use lapin::options::BasicAckOptions;
use lapin::types::DeliveryTag;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long an acknowledgement waits for others. What a crash takes with it in that time is delivered again,
/// and the inbox knows it.
const TOGETHER: Duration = Duration::from_millis(10);

/// Those of a session that were not sent yet. Each that is sent by itself wakes the connection's thread, and
/// the broker after it.
pub(super) struct Acks {
    channel: Channel,
    waiting: Mutex<Vec<DeliveryTag>>,
    /// So many go out at once: the broker sends no more deliveries than it has acknowledgements outstanding.
    most: usize,
    begun: Notify,
    /// The channel does not take them any more, or the session ended otherwise.
    over: CancellationToken,
}

impl Acks {
    /// For the deliveries of `channel`, of which the broker sends `prefetch` ahead.
    pub(super) fn new(channel: Channel, prefetch: u16, over: CancellationToken) -> Self {
        Self {
            channel,
            waiting: Mutex::default(),
            most: usize::from(prefetch / 4).max(1),
            begun: Notify::new(),
            over,
        }
    }

    /// Sends it soon.
    pub(super) fn add(&self, tag: DeliveryTag) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(tag);
        match waiting.len() {
            full if full >= self.most => self.send(std::mem::take(&mut *waiting)),
            1 => self.begun.notify_one(),
            _ => {}
        }
    }

    /// Sends what waits, until the session is over. What is added afterwards is for [`Acks::flush`].
    pub(super) async fn run(&self) {
        loop {
            tokio::select! {
                biased;
                () = self.over.cancelled() => return,
                () = self.begun.notified() => tokio::time::sleep(TOGETHER).await,
            }
            self.flush();
        }
    }

    /// Sends what waits.
    pub(super) fn flush(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.send(std::mem::take(&mut *waiting));
    }

    /// Puts them behind what the channel has to send already, and does not wait until they are sent. By the channel
    /// itself, because [`lapin::message::Delivery::acker`] takes the way round by a task of its own.
    fn send(&self, tags: Vec<DeliveryTag>) {
        for tag in tags {
            let ack = self.channel.basic_ack(tag, BasicAckOptions::default());
            if ack.now_or_never().is_some_and(|sent| sent.is_err()) {
                self.over.cancel();
                return;
            }
        }
    }
}
