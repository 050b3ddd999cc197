//! What is said in one session, in order, to those of this process who are in it.
//!
//! Pushes come over a transient exchange: out of order when several processes send, and
//! not at all when one is lost. Numbers have no holes, so both show. What comes early
//! waits; what is missing is read from the database.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlour_sockets::SendError;
use uuid::Uuid;

use super::frame::Frame;
use super::seat::Seat;

/// Messages that may wait for an earlier one. The rest is read from the database.
const MOST_EARLY: usize = 256;

/// A visible message.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its number in the session.
    pub seq: i64,
    /// What is told about it; `None` for one that was removed.
    pub frame: Option<Arc<Frame>>,
    /// How this process heard of it.
    pub way: Way,
}

/// How a process heard of a message, which tells who knows it already.
#[derive(Clone, Debug)]
pub enum Way {
    /// It was pushed.
    Pushed {
        /// The connection that it came by.
        origin: Option<Box<str>>,
    },
    /// It was read from the database, which does not know by which connection it came.
    Read {
        /// The message.
        id: Uuid,
        /// Who said it.
        sender: Uuid,
    },
}

impl Way {
    /// Whether it came by this connection.
    fn is_by(&self, seat: &Seat) -> bool {
        match self {
            Way::Pushed { origin } => origin.as_deref() == Some(&*seat.id),
            Way::Read { id, sender } => *sender == seat.user && seat.is_own(*id),
        }
    }
}

/// Somebody in the session, and the last number that they have.
struct Member {
    seat: Arc<Seat>,
    cursor: i64,
}

/// One session, as this process hears of it.
#[derive(Default)]
pub struct Stream(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Up to here everything was told. `None` until the database was asked.
    head: Option<i64>,
    early: BTreeMap<i64, Said>,
    members: Vec<Member>,
    /// Whether somebody reads what is missing.
    filling: bool,
}

/// What became of somebody who wants in.
#[derive(Debug, PartialEq, Eq)]
pub enum Seated {
    /// They are in.
    In,
    /// They lack messages between theirs and the stream's.
    Behind,
    /// Nobody has asked the database yet.
    Unopened,
}

impl Stream {
    /// The number up to which everything was told.
    pub fn head(&self) -> Option<i64> {
        self.lock().head
    }

    /// Begins at `head`, unless it has begun.
    pub fn open(&self, head: i64) {
        let mut inner = self.lock();
        if inner.head.is_none() {
            inner.head = Some(head);
            inner.early.retain(|seq, _| *seq > head);
            inner.tell_early();
        }
    }

    /// Takes a message that was pushed. True when the caller has to fill a gap.
    pub fn take(&self, said: Said) -> bool {
        let mut inner = self.lock();
        if inner.head.is_some_and(|head| said.seq <= head) {
            return false;
        }
        inner.early.insert(said.seq, said);
        if inner.early.len() > MOST_EARLY {
            inner.early.pop_last();
        }
        inner.tell_early();
        inner.begin_filling()
    }

    /// Takes what was read from the database behind the head, in order.
    pub fn fill(&self, messages: Vec<Said>) {
        let mut inner = self.lock();
        for said in messages {
            if inner.head.is_some_and(|head| said.seq > head) {
                // The push knows where it came from.
                let early = inner.early.remove(&said.seq);
                inner.tell(&early.unwrap_or(said));
            }
        }
        inner.tell_early();
    }

    /// Whether something is missing still. When not, filling is over.
    pub fn is_behind(&self, last_seq: i64) -> bool {
        let mut inner = self.lock();
        let behind = inner.head.is_some_and(|head| head < last_seq) || !inner.early.is_empty();
        inner.filling = behind;
        behind
    }

    /// Says that `last_seq` is there. True when the caller has to fill a gap.
    pub fn is_missing(&self, last_seq: i64) -> bool {
        let mut inner = self.lock();
        let behind = inner.head.is_some_and(|head| head < last_seq);
        behind && !std::mem::replace(&mut inner.filling, true)
    }

    /// Gives up filling until the next sign of a gap.
    pub fn stop_filling(&self) {
        self.lock().filling = false;
    }

    /// Lets somebody in who is not in and has everything up to `cursor`, and tells them `welcome` first.
    pub fn seat(&self, seat: &Arc<Seat>, cursor: i64, welcome: &Frame) -> Seated {
        let mut inner = self.lock();
        let Some(head) = inner.head else {
            return Seated::Unopened;
        };
        if cursor < head {
            return Seated::Behind;
        }
        if seat.tell(welcome).is_ok() {
            let seat = seat.clone();
            inner.members.push(Member { seat, cursor });
        }
        Seated::In
    }

    /// Tells `welcome` to somebody who is in. False when they are not.
    pub fn greet(&self, seat: &Seat, welcome: &Frame) -> bool {
        let inner = self.lock();
        let is_in = inner.members.iter().any(|member| member.seat.id == seat.id);
        if is_in {
            // Whoever does not take it is cut off.
            seat.tell(welcome).ok();
        }
        is_in
    }

    /// Lets somebody go. True when nobody is left.
    pub fn unseat(&self, id: &str) -> bool {
        let mut inner = self.lock();
        inner.members.retain(|member| &*member.seat.id != id);
        inner.members.is_empty()
    }

    /// Those who are in.
    pub fn seats(&self) -> Vec<Arc<Seat>> {
        self.lock()
            .members
            .iter()
            .map(|member| member.seat.clone())
            .collect()
    }

    /// Those of a person.
    pub fn seats_of(&self, user: Uuid) -> Vec<Arc<Seat>> {
        let inner = self.lock();
        let of_user = inner.members.iter().filter(|member| member.seat.user == user);
        of_user.map(|member| member.seat.clone()).collect()
    }

    /// Whether nobody is in.
    pub fn is_empty(&self) -> bool {
        self.lock().members.is_empty()
    }

    /// Tells something that has no number to everybody whom `whom` lets.
    pub fn tell(&self, frame: &Frame, whom: impl Fn(&Seat) -> bool) {
        self.lock()
            .members
            .retain(|member| !whom(&member.seat) || is_there(member.seat.tell(frame)));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell_early(&mut self) {
        while let Some(head) = self.head
            && let Some(said) = self.early.remove(&(head + 1))
        {
            self.tell(&said);
        }
    }

    fn tell(&mut self, said: &Said) {
        self.head = Some(said.seq);
        self.members.retain_mut(|member| {
            if member.cursor >= said.seq {
                return true;
            }
            member.cursor = said.seq;
            match &said.frame {
                Some(frame) if !said.way.is_by(&member.seat) => is_there(member.seat.tell(frame)),
                _ => true,
            }
        });
    }

    fn begin_filling(&mut self) -> bool {
        let gap = self.head.is_some() && !self.early.is_empty();
        gap && !std::mem::replace(&mut self.filling, true)
    }
}

fn is_there(told: Result<(), SendError>) -> bool {
    told.is_ok()
}
