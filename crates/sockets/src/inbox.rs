//! What a client said and nobody has handled yet. One after the other, bounded, and
//! without a task for a client that says nothing.

use std::collections::VecDeque;

use serde_json::Value;
use socketioxide_core::Str;

use crate::{Event, Gone};

/// What may wait. A client that is ahead by more says things for their number.
const MOST: usize = 128;
/// What may wait of it in bytes. One thing may be larger.
const MOST_BYTES: usize = 1024 * 1024;

/// One thing to do for a client.
#[derive(Debug)]
pub(crate) enum Item {
    /// It wants into a namespace.
    Connect(Str, Value),
    /// It said something there.
    Event(Str, Event),
    /// It left a namespace.
    Leave(Str),
    /// Its connection ended.
    End(Gone),
}

/// In order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// With their sizes.
    items: VecDeque<(Item, usize)>,
    bytes: usize,
    /// Whether somebody is at it.
    running: bool,
}

/// What became of an item.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It waits, and nobody is at it: the caller has to see to it.
    First,
    /// It waits behind others.
    Waits,
    /// There is no more room.
    Full,
}

impl Inbox {
    pub(crate) fn put(&mut self, item: Item, bytes: usize) -> Put {
        let many = self.items.len() >= MOST || self.bytes + bytes > MOST_BYTES;
        if many && !self.items.is_empty() && !matches!(item, Item::End(_)) {
            return Put::Full;
        }
        self.bytes += bytes;
        self.items.push_back((item, bytes));
        if std::mem::replace(&mut self.running, true) {
            Put::Waits
        } else {
            Put::First
        }
    }

    /// The next one; with none left nobody is at it any more.
    pub(crate) fn next(&mut self) -> Option<Item> {
        let next = self.items.pop_front();
        self.running = next.is_some();
        if self.items.is_empty() {
            // A client that is silent holds nothing.
            self.items = VecDeque::new();
        }
        next.map(|(item, bytes)| {
            self.bytes -= bytes;
            item
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leave() -> Item {
        Item::Leave("/".into())
    }

    #[test]
    fn one_at_a_time_and_no_more_than_fit() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.put(leave(), 1), Put::First);
        for _ in 1..MOST {
            assert_eq!(inbox.put(leave(), 1), Put::Waits);
        }
        assert_eq!(inbox.put(leave(), 1), Put::Full);
        assert_eq!(inbox.put(Item::End(Gone::Left), 0), Put::Waits);
        for _ in 0..=MOST {
            assert!(inbox.next().is_some());
        }
        assert!(inbox.next().is_none());
        assert_eq!(inbox.put(leave(), 1), Put::First);
    }

    #[test]
    fn large_things_wait_by_their_size() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.put(leave(), 2 * MOST_BYTES), Put::First);
        assert_eq!(inbox.put(leave(), 1), Put::Full);
        assert!(inbox.next().is_some());
        assert_eq!(inbox.put(leave(), MOST_BYTES - 1), Put::Waits);
        assert_eq!(inbox.put(leave(), 1), Put::Waits);
        assert_eq!(inbox.put(leave(), 1), Put::Full);
    }
}
