//! What a process heard of who is where, from all processes, itself included.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use uuid::Uuid;

use super::{Change, LINGER, News, Place, SILENCE};

#[derive(Default)]
pub(super) struct Heard {
    /// What each process said, and when.
    said: HashMap<Uuid, (Instant, HashSet<Place>)>,
    /// Who is where, over all processes.
    taken: HashMap<Place, Presence>,
}

struct Presence {
    processes: usize,
    name: String,
    /// Since when no process holds a connection of theirs.
    lost: Option<Instant>,
}

impl Heard {
    /// Takes what a process said. Answers what changed by it.
    pub(super) fn hear(&mut self, news: News) -> Vec<Change> {
        let mut changes = Vec::new();
        let before = self.said.entry(news.replica).or_insert_with(none);
        before.0 = Instant::now();
        let mut lost = news.lost;
        if news.whole {
            let now: HashSet<Place> = news
                .on
                .iter()
                .map(|(session, user, _)| (*session, *user))
                .collect();
            lost.extend(before.1.difference(&now).copied());
        }
        for (session, user, name) in news.on {
            changes.extend(self.comes(news.replica, (session, user), name));
        }
        for place in news.off {
            changes.extend(self.goes(news.replica, place));
        }
        for place in lost {
            self.loses(news.replica, place, Instant::now());
        }
        changes
    }

    /// Lets go of processes that are silent, and of those who did not come back. Answers what
    /// changed by it.
    pub(super) fn sweep(&mut self, me: Uuid, now: Instant) -> Vec<Change> {
        let said = self.said.iter();
        let silent: Vec<(Uuid, Vec<Place>)> = said
            .filter(|(replica, (heard, _))| **replica != me && now.duration_since(*heard) > SILENCE)
            .map(|(replica, (_, places))| (*replica, places.iter().copied().collect()))
            .collect();
        for (replica, places) in silent {
            for place in places {
                self.loses(replica, place, now);
            }
            self.said.remove(&replica);
        }
        let over = |presence: &Presence| {
            presence
                .lost
                .is_some_and(|since| now.duration_since(since) >= LINGER)
        };
        self.taken
            .extract_if(|_, presence| over(presence))
            .map(|(place, presence)| change(place, presence.name, false))
            .collect()
    }

    pub(super) fn has(&self, place: &Place) -> bool {
        self.taken.contains_key(place)
    }

    fn comes(&mut self, replica: Uuid, place: Place, name: String) -> Option<Change> {
        if !self.said.entry(replica).or_insert_with(none).1.insert(place) {
            return None;
        }
        if let Some(there) = self.taken.get_mut(&place) {
            there.processes += 1;
            there.lost = None;
            return None;
        }
        let came = change(place, name.clone(), true);
        let presence = Presence {
            processes: 1,
            name,
            lost: None,
        };
        self.taken.insert(place, presence);
        Some(came)
    }

    /// Somebody left, and is gone at once if nobody else has them.
    fn goes(&mut self, replica: Uuid, place: Place) -> Option<Change> {
        self.loses(replica, place, Instant::now());
        self.taken.get(&place)?.lost?;
        let gone = self.taken.remove(&place)?;
        Some(change(place, gone.name, false))
    }

    fn loses(&mut self, replica: Uuid, place: Place, now: Instant) {
        let Some((_, said)) = self.said.get_mut(&replica) else {
            return;
        };
        if said.remove(&place)
            && let Some(there) = self.taken.get_mut(&place)
        {
            there.processes -= 1;
            there.lost = (there.processes == 0).then_some(now);
        }
    }
}

fn none() -> (Instant, HashSet<Place>) {
    (Instant::now(), HashSet::new())
}

fn change((session, user): Place, name: String, came: bool) -> Change {
    Change {
        session,
        user,
        name,
        came,
    }
}
