//! Who is online and who is in which session, over all processes that hold sockets.
//!
//! Each process tells the others what changes, and all of it now and then, which mends
//! what was lost on the way. All decide alike from what they heard, their own words
//! included, so that nobody has to be asked before "somebody left" is told. Whose last
//! connection was lost is still there for a moment: a page that is loaded again, or a process
//! that is replaced, is no news, and neither is what one process tells before the other.

mod heard;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use heard::Heard;

/// A process that was not heard of for so long is taken for gone.
pub const SILENCE: Duration = Duration::from_secs(45);

/// Who lost their last connection has left when this is over.
pub const LINGER: Duration = Duration::from_secs(2);

/// A place: a session, or the platform as a whole when there is none; and who is there.
pub type Place = (Option<Uuid>, Uuid);

/// What one process tells the others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct News {
    /// Which process.
    pub replica: Uuid,
    /// Who came.
    #[serde(default)]
    pub on: Vec<(Option<Uuid>, Uuid, String)>,
    /// Who left.
    #[serde(default)]
    pub off: Vec<Place>,
    /// Whose connection was lost. They may be back, or elsewhere.
    #[serde(default)]
    pub lost: Vec<Place>,
    /// Whether `on` is everybody.
    #[serde(default)]
    pub whole: bool,
    /// Whether it has just begun, and has not heard of anybody.
    #[serde(default)]
    pub hello: bool,
}

/// Somebody came to a place or left it, wherever their connections are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The session; `None` is the platform.
    pub session: Option<Uuid>,
    /// Who.
    pub user: Uuid,
    /// What they are called.
    pub name: String,
    /// Whether they came.
    pub came: bool,
}

/// What is known of everybody.
pub struct Roster {
    me: Uuid,
    /// This process's connections at each place, and what the person is called.
    mine: Mutex<HashMap<Place, (usize, String)>>,
    heard: Mutex<Heard>,
}

impl Roster {
    /// Nobody yet.
    pub fn new(me: Uuid) -> Self {
        Self {
            me,
            mine: Mutex::default(),
            heard: Mutex::default(),
        }
    }

    /// A connection of ours came to a place. What there is to tell the others, if it is the first.
    pub fn came(&self, place: Place, name: &str) -> Option<News> {
        let mut mine = lock(&self.mine);
        let entry = mine.entry(place).or_insert_with(|| (0, name.to_owned()));
        entry.0 += 1;
        (entry.0 == 1).then(|| News {
            replica: self.me,
            on: vec![(place.0, place.1, name.to_owned())],
            ..News::default()
        })
    }

    /// A connection of ours left a place. What there is to tell, if it was the last.
    pub fn left(&self, place: Place) -> Option<News> {
        self.last_of(place).then(|| News {
            replica: self.me,
            off: vec![place],
            ..News::default()
        })
    }

    /// A connection of ours that was at a place is gone. What there is to tell, if it was the last.
    pub fn lost(&self, place: Place) -> Option<News> {
        self.last_of(place).then(|| News {
            replica: self.me,
            lost: vec![place],
            ..News::default()
        })
    }

    fn last_of(&self, place: Place) -> bool {
        let mut mine = lock(&self.mine);
        let Some(entry) = mine.get_mut(&place) else {
            return false;
        };
        entry.0 = entry.0.saturating_sub(1);
        entry.0 == 0 && mine.remove(&place).is_some()
    }

    /// Everybody who is here.
    pub fn whole(&self) -> News {
        let mine = lock(&self.mine);
        News {
            replica: self.me,
            on: mine
                .iter()
                .map(|((session, user), (_, name))| (*session, *user, name.clone()))
                .collect(),
            whole: true,
            ..News::default()
        }
    }

    /// Nobody is here any more: all that were are lost.
    pub fn nobody(&self) -> News {
        News {
            replica: self.me,
            whole: true,
            ..News::default()
        }
    }

    /// Takes what a process said. Answers what changed by it.
    pub fn hear(&self, news: News) -> Vec<Change> {
        lock(&self.heard).hear(news)
    }

    /// Lets go of processes that are silent, and of those who did not come back. Answers what
    /// changed by it.
    pub fn sweep(&self, now: Instant) -> Vec<Change> {
        lock(&self.heard).sweep(self.me, now)
    }

    /// Whether somebody is online anywhere.
    pub fn is_online(&self, user: Uuid) -> bool {
        lock(&self.heard).has(&(None, user))
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn somebody_leaves_when_their_last_connection_anywhere_has() {
        let (one, two) = (Roster::new(id(1)), Roster::new(id(2)));
        let place = (Some(id(10)), id(20));
        let first = one.came(place, "Ann").unwrap();
        assert!(one.came(place, "Ann").is_none(), "a second tab is no news");
        let second = two.came(place, "Ann").unwrap();
        let changes = two.hear(first);
        assert_eq!(changes.len(), 1);
        assert!(changes[0].came && changes[0].name == "Ann");
        assert_eq!(two.hear(second), []);
        assert!(one.left(place).is_none());
        assert_eq!(two.hear(one.left(place).unwrap()), []);
        let gone = two.hear(two.left(place).unwrap());
        assert_eq!((gone.len(), gone[0].came), (1, false));
    }

    #[test]
    fn who_is_back_at_once_has_not_left() {
        let (one, two, other) = (Roster::new(id(1)), Roster::new(id(2)), Roster::new(id(3)));
        let place = (Some(id(10)), id(20));
        other.hear(one.came(place, "Ann").unwrap());
        assert_eq!(other.hear(one.lost(place).unwrap()), []);
        assert_eq!(other.hear(two.came(place, "Ann").unwrap()), []);
        let later = Instant::now() + LINGER;
        assert_eq!(other.sweep(later), [], "they are elsewhere");
        assert_eq!(other.hear(two.lost(place).unwrap()), []);
        assert_eq!(other.sweep(Instant::now()), [], "they may be back");
        let gone = other.sweep(Instant::now() + LINGER);
        assert_eq!((gone.len(), gone[0].came), (1, false));
        let news = two.came(place, "Ann").unwrap();
        assert!(other.hear(news)[0].came);
    }

    #[test]
    fn a_whole_account_mends_what_was_lost_and_silence_means_gone() {
        let (one, two) = (Roster::new(id(1)), Roster::new(id(2)));
        let (ann, bob) = ((None, id(20)), (None, id(21)));
        two.hear(one.came(ann, "Ann").unwrap());
        one.left(ann);
        one.came(bob, "Bob");
        let changes = two.hear(one.whole());
        assert_eq!((changes.len(), changes[0].user), (1, id(21)));
        assert_eq!(two.sweep(Instant::now() + LINGER)[0].user, id(20));
        assert!(two.is_online(id(21)) && !two.is_online(id(20)));
        assert_eq!(two.hear(one.whole()), []);
        let later = Instant::now() + SILENCE + Duration::from_secs(1);
        assert_eq!(two.sweep(later), [], "somebody may have them now");
        assert_eq!(two.sweep(later + LINGER).len(), 1);
        assert!(!two.is_online(id(21)));
    }
}
