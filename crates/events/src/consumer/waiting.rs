//! What waits to be handled, and what of it may be begun.
//!
//! Nothing is begun of an aggregate that is being worked on, and nothing overtakes what waits of its aggregate.
//! Of what may take effect together a transaction takes all that waits, and a second one begins beside it only when
//! enough wait to fill it, or when the first takes long. So transactions become the larger the more there is to do,
//! as a group commit does it, where one for each event would cost the same many times over.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// A transaction that takes longer has something to wait for, and the others should not wait with it.
const LONG: Duration = Duration::from_millis(50);

/// Jobs that wait, in the order in which they came.
pub(super) struct Waiting<J> {
    jobs: VecDeque<Item<J>>,
    /// The aggregates that are being worked on.
    busy: HashSet<String>,
    /// How many transactions with gathered effects are under way.
    gathering: usize,
    /// When the last of them began.
    begun: Instant,
    /// So many take effect together at the most.
    most: usize,
}

struct Item<J> {
    aggregate: String,
    shares: bool,
    job: J,
}

/// What is begun together.
pub(super) struct Begun<J> {
    pub(super) jobs: Vec<J>,
    pub(super) turn: Turn,
}

/// What is kept busy until [`Waiting::ended`].
#[derive(Debug)]
pub(super) struct Turn {
    aggregates: Vec<String>,
    gathers: bool,
}

impl<J> Waiting<J> {
    /// Nothing waits; `most` take effect together.
    pub(super) fn new(most: usize) -> Self {
        Self {
            jobs: VecDeque::new(),
            busy: HashSet::new(),
            gathering: 0,
            begun: Instant::now(),
            most: most.max(1),
        }
    }

    /// Puts a job behind the others. `shares` says that it may take effect together with others that do.
    pub(super) fn add(&mut self, aggregate: String, shares: bool, job: J) {
        self.jobs.push_back(Item {
            aggregate,
            shares,
            job,
        });
    }

    /// When there may be more to begin, although nothing comes and nothing ends before.
    pub(super) fn patience(&self, now: Instant) -> Option<Instant> {
        let end = self.begun + LONG;
        (self.gathering > 0 && !self.jobs.is_empty() && end > now).then_some(end)
    }

    /// Takes what may be begun now: a job alone, or several that share.
    pub(super) fn next(&mut self, now: Instant) -> Option<Begun<J>> {
        let (places, gathers) = self.ready(now)?;
        if gathers {
            self.begun = now;
        }
        // From behind, so that the places before stay as they are.
        let taken = places.iter().rev().filter_map(|place| self.jobs.remove(*place));
        let mut taken: Vec<Item<J>> = taken.collect();
        taken.reverse();
        self.gathering += usize::from(gathers);
        let (aggregates, jobs): (Vec<String>, Vec<J>) =
            taken.into_iter().map(|item| (item.aggregate, item.job)).unzip();
        self.busy.extend(aggregates.iter().cloned());
        Some(Begun {
            jobs,
            turn: Turn { aggregates, gathers },
        })
    }

    /// What was begun has ended. All of it is settled, or all of it is to be begun again, each job alone: then these
    /// are the jobs in their order.
    pub(super) fn ended(&mut self, turn: Turn, again: Vec<J>) {
        self.gathering -= usize::from(turn.gathers);
        for aggregate in &turn.aggregates {
            self.busy.remove(aggregate);
        }
        for (aggregate, job) in turn.aggregates.into_iter().zip(again).rev() {
            self.jobs.push_front(Item {
                aggregate,
                shares: false,
                job,
            });
        }
    }

    /// The places of what may be begun, and whether it shares. What came first is begun first.
    fn ready(&self, now: Instant) -> Option<(Vec<usize>, bool)> {
        let (alone, sharing) = self.candidates();
        let begins = self.gathering == 0 || sharing.len() == self.most || now >= self.begun + LONG;
        let together = (begins && !sharing.is_empty()).then_some(sharing);
        match (alone, together) {
            (Some(alone), Some(together)) if together.first() < Some(&alone) => Some((together, true)),
            (Some(alone), _) => Some((vec![alone], false)),
            (None, together) => Some((together?, true)),
        }
    }

    /// The first place that may be begun alone, and those that may share a transaction.
    fn candidates(&self) -> (Option<usize>, Vec<usize>) {
        let mut kept: HashSet<&str> = self.busy.iter().map(String::as_str).collect();
        let (mut alone, mut sharing) = (None, Vec::new());
        // Whoever shares leaves its aggregate to others that do, and to nobody else.
        let mut shared: HashSet<&str> = HashSet::new();
        for (place, item) in self.jobs.iter().enumerate() {
            let aggregate = item.aggregate.as_str();
            if kept.contains(aggregate) {
                continue;
            }
            if item.shares {
                if sharing.len() < self.most {
                    sharing.push(place);
                    shared.insert(aggregate);
                } else {
                    kept.insert(aggregate);
                }
            } else {
                if !shared.contains(aggregate) {
                    alone = alone.or(Some(place));
                }
                kept.insert(aggregate);
            }
        }
        (alone, sharing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What waits: the aggregate's letter, in capitals where it shares.
    fn waiting(most: usize, jobs: &str) -> Waiting<usize> {
        let mut waiting = Waiting::new(most);
        for (place, letter) in jobs.chars().enumerate() {
            waiting.add(letter.to_lowercase().collect(), letter.is_uppercase(), place);
        }
        waiting
    }

    fn begin(waiting: &mut Waiting<usize>) -> Option<(Vec<usize>, Turn)> {
        // As if no time had passed.
        let now = waiting.begun;
        begin_at(waiting, now)
    }

    fn begin_at(waiting: &mut Waiting<usize>, now: Instant) -> Option<(Vec<usize>, Turn)> {
        waiting.next(now).map(|begun| (begun.jobs, begun.turn))
    }

    #[test]
    fn all_that_share_begin_together_in_their_order() {
        let mut waiting = waiting(8, "ABAC");
        let (jobs, turn) = begin(&mut waiting).unwrap();
        assert_eq!(jobs, [0, 1, 2, 3]);
        assert!(begin(&mut waiting).is_none());
        waiting.add("a".into(), true, 4);
        waiting.add("d".into(), true, 5);
        assert!(begin(&mut waiting).is_none(), "what comes meanwhile gathers");
        waiting.ended(turn, vec![]);
        assert_eq!(begin(&mut waiting).unwrap().0, [4, 5]);
    }

    #[test]
    fn a_second_transaction_begins_when_it_is_full() {
        let mut waiting = waiting(2, "ABCA");
        assert_eq!(begin(&mut waiting).unwrap().0, [0, 1]);
        assert!(
            begin(&mut waiting).is_none(),
            "one does not fill it, and a is busy"
        );
        waiting.add("d".into(), true, 4);
        assert_eq!(begin(&mut waiting).unwrap().0, [2, 4]);
    }

    #[test]
    fn a_second_transaction_begins_when_the_first_takes_long() {
        let mut waiting = waiting(8, "A");
        let began = Instant::now();
        assert_eq!(begin_at(&mut waiting, began).unwrap().0, [0]);
        assert_eq!(waiting.patience(began), None, "nothing waits");
        waiting.add("b".into(), true, 1);
        waiting.add("a".into(), true, 2);
        assert!(begin_at(&mut waiting, began).is_none());
        let end = waiting.patience(began).unwrap();
        assert_eq!(end, began + LONG);
        assert_eq!(begin_at(&mut waiting, end).unwrap().0, [1], "a is busy");
        assert_eq!(
            waiting.patience(end),
            Some(end + LONG),
            "that one may take long too"
        );
        assert_eq!(
            waiting.patience(end + LONG),
            None,
            "what is left waits for an end"
        );
    }

    #[test]
    fn what_does_not_share_goes_alone_and_side_by_side() {
        let mut waiting = waiting(8, "abaC");
        let (jobs, turn) = begin(&mut waiting).unwrap();
        assert_eq!(jobs, [0]);
        assert_eq!(begin(&mut waiting).unwrap().0, [1]);
        assert_eq!(begin(&mut waiting).unwrap().0, [3], "beside those");
        assert!(begin(&mut waiting).is_none(), "a is busy");
        waiting.ended(turn, vec![]);
        assert_eq!(begin(&mut waiting).unwrap().0, [2]);
    }

    #[test]
    fn nothing_overtakes_within_its_aggregate() {
        let mut waiting = waiting(8, "AaABbB");
        let (jobs, turn) = begin(&mut waiting).unwrap();
        assert_eq!(jobs, [0, 3], "behind one that does not share nothing is taken");
        assert!(begin(&mut waiting).is_none());
        waiting.ended(turn, vec![]);
        let (jobs, first) = begin(&mut waiting).unwrap();
        assert_eq!(jobs, [1]);
        let (jobs, second) = begin(&mut waiting).unwrap();
        assert_eq!(jobs, [4]);
        assert!(begin(&mut waiting).is_none());
        waiting.ended(first, vec![]);
        waiting.ended(second, vec![]);
        assert_eq!(begin(&mut waiting).unwrap().0, [2, 5]);
        assert!(begin(&mut waiting).is_none());
    }

    #[test]
    fn what_did_not_take_effect_together_is_begun_again_alone_and_before_the_rest() {
        let mut waiting = waiting(8, "ABA");
        let (jobs, turn) = begin(&mut waiting).unwrap();
        waiting.add("a".into(), true, 3);
        waiting.add("c".into(), true, 4);
        waiting.ended(turn, jobs);
        let (jobs, first) = begin(&mut waiting).unwrap();
        assert_eq!(jobs, [0]);
        assert_eq!(begin(&mut waiting).unwrap().0, [1], "beside it");
        assert_eq!(
            begin(&mut waiting).unwrap().0,
            [4],
            "a's last waits behind its others"
        );
        waiting.ended(first, vec![]);
        assert_eq!(begin(&mut waiting).unwrap().0, [2]);
        assert!(begin(&mut waiting).is_none());
    }

    #[test]
    fn whoever_came_first_begins_first() {
        let mut waiting = waiting(8, "aB");
        assert_eq!(begin(&mut waiting).unwrap().0, [0]);
        assert_eq!(begin(&mut waiting).unwrap().0, [1]);
    }

    #[test]
    fn what_does_not_fit_keeps_its_place() {
        let mut waiting = waiting(2, "ABCc");
        let (jobs, _) = begin(&mut waiting).unwrap();
        assert_eq!(jobs, [0, 1]);
        assert!(
            begin(&mut waiting).is_none(),
            "c's second must not overtake its first"
        );
    }
}
