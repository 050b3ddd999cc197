//! Who is online and who is in which session, over all processes that hold sockets.
//!
//! Each process tells the others what changes, and all of it now and then, which mends
//! what was lost on the way. All decide alike from what they heard, their own words
//! included, so that nobody has to be asked before "somebody left" is told.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A process that was not heard of for so long is taken for gone.
pub const SILENCE: Duration = Duration::from_secs(45);

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

#[derive(Default)]
struct Known {
    /// This process's connections at each place, and what the person is called.
    mine: HashMap<Place, (usize, String)>,
    /// What each process said, our own included, and when.
    said: HashMap<Uuid, (Instant, HashSet<Place>)>,
    /// At how many processes a place is taken.
    taken: HashMap<Place, (usize, String)>,
}

/// What is known of everybody.
pub struct Roster {
    me: Uuid,
    known: Mutex<Known>,
}

impl Roster {
    /// Nobody yet.
    pub fn new(me: Uuid) -> Self {
        Self {
            me,
            known: Mutex::default(),
        }
    }

    /// A connection of ours came to a place. What there is to tell the others, if it is the first.
    pub fn came(&self, place: Place, name: &str) -> Option<News> {
        let mut known = self.lock();
        let entry = known.mine.entry(place).or_insert_with(|| (0, name.to_owned()));
        entry.0 += 1;
        (entry.0 == 1).then(|| News {
            replica: self.me,
            on: vec![(place.0, place.1, name.to_owned())],
            ..News::default()
        })
    }

    /// A connection of ours left a place. What there is to tell, if it was the last.
    pub fn left(&self, place: Place) -> Option<News> {
        let mut known = self.lock();
        let entry = known.mine.get_mut(&place)?;
        entry.0 = entry.0.saturating_sub(1);
        if entry.0 > 0 {
            return None;
        }
        known.mine.remove(&place);
        Some(News {
            replica: self.me,
            off: vec![place],
            ..News::default()
        })
    }

    /// Everybody who is here.
    pub fn whole(&self) -> News {
        let known = self.lock();
        let mine = known.mine.iter();
        News {
            replica: self.me,
            on: mine
                .map(|((session, user), (_, name))| (*session, *user, name.clone()))
                .collect(),
            whole: true,
            ..News::default()
        }
    }

    /// Takes what a process said. Answers what changed by it.
    pub fn hear(&self, news: News) -> Vec<Change> {
        let mut known = self.lock();
        let mut changes = Vec::new();
        let before = known.said.entry(news.replica).or_insert_with(none);
        before.0 = Instant::now();
        let mut off = news.off;
        if news.whole {
            let now: HashSet<Place> = news
                .on
                .iter()
                .map(|(session, user, _)| (*session, *user))
                .collect();
            off.extend(before.1.difference(&now).copied());
        }
        for (session, user, name) in news.on {
            known.comes(news.replica, (session, user), name, &mut changes);
        }
        for place in off {
            known.goes(news.replica, place, &mut changes);
        }
        changes
    }

    /// Lets go of processes that are silent. Answers what changed by it.
    pub fn sweep(&self, now: Instant) -> Vec<Change> {
        let mut known = self.lock();
        let said = known.said.iter();
        let silent: Vec<(Uuid, Vec<Place>)> = said
            .filter(|(replica, (heard, _))| **replica != self.me && now.duration_since(*heard) > SILENCE)
            .map(|(replica, (_, places))| (*replica, places.iter().copied().collect()))
            .collect();
        let mut changes = Vec::new();
        for (replica, places) in silent {
            for place in places {
                known.goes(replica, place, &mut changes);
            }
            known.said.remove(&replica);
        }
        changes
    }

    /// Whether somebody is online anywhere.
    pub fn is_online(&self, user: Uuid) -> bool {
        self.lock().taken.contains_key(&(None, user))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none() -> (Instant, HashSet<Place>) {
    (Instant::now(), HashSet::new())
}

impl Known {
    fn comes(&mut self, replica: Uuid, place: Place, name: String, changes: &mut Vec<Change>) {
        if !self.said.entry(replica).or_insert_with(none).1.insert(place) {
            return;
        }
        let taken = self.taken.entry(place).or_insert_with(|| (0, name));
        taken.0 += 1;
        if taken.0 == 1 {
            changes.push(change(place, taken.1.clone(), true));
        }
    }

    fn goes(&mut self, replica: Uuid, place: Place, changes: &mut Vec<Change>) {
        if !self.said.entry(replica).or_insert_with(none).1.remove(&place) {
            return;
        }
        let Some(taken) = self.taken.get_mut(&place) else {
            return;
        };
        taken.0 -= 1;
        if taken.0 == 0
            && let Some((_, name)) = self.taken.remove(&place)
        {
            changes.push(change(place, name, false));
        }
    }
}

fn change((session, user): Place, name: String, came: bool) -> Change {
    Change {
        session,
        user,
        name,
        came,
    }
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
    fn a_whole_account_mends_what_was_lost_and_silence_means_gone() {
        let (one, two) = (Roster::new(id(1)), Roster::new(id(2)));
        let (ann, bob) = ((None, id(20)), (None, id(21)));
        two.hear(one.came(ann, "Ann").unwrap());
        one.left(ann);
        one.came(bob, "Bob");
        let changes = two.hear(one.whole());
        assert_eq!(changes.len(), 2);
        assert!(two.is_online(id(21)) && !two.is_online(id(20)));
        assert_eq!(two.hear(one.whole()), []);
        let later = Instant::now() + SILENCE + Duration::from_secs(1);
        assert_eq!(two.sweep(later).len(), 1);
        assert!(!two.is_online(id(21)));
    }
}
