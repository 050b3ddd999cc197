//! A circuit breaker as a pure rule: times are arguments, and nothing waits.
//!
//! Closed, it lets everything through. After so many failures in a row it opens and lets
//! nothing through for a while. Then it is half open: one probe goes, and what becomes of
//! it closes the circuit or opens it again for twice as long.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// When it opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Failures in a row that open it; at least 1.
    pub failures: u32,
    /// How long it stays open the first time.
    pub back_off: Duration,
    /// How long it stays open at the most, whatever was asked for.
    pub longest: Duration,
}

/// What an attempt showed about whoever was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They answered as they should, be it with a refusal of this one message.
    Healthy,
    /// They did not.
    Failed,
    /// They want to be left alone for so long.
    Hold(Duration),
}

/// What a circuit answers to whoever wants to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go.
    Go,
    /// Go, and be sure to report: everybody else waits for it.
    Probe,
    /// Nobody goes before this time.
    Wait(DateTime<Utc>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: DateTime<Utc>, opened: u32 },
    Probing { opened: u32 },
}

/// The circuit to one provider.
#[derive(Clone, Debug)]
pub struct Breaker {
    rules: Rules,
    state: State,
}

impl Breaker {
    /// A closed one.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            state: State::Closed { failures: 0 },
        }
    }

    /// Until when nobody goes through, as things stand at `now`.
    pub fn waits(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.state {
            State::Closed { .. } => None,
            State::Open { until, .. } => (now < until).then_some(until),
            // How long the probe takes is not known; the first back-off is a fair guess.
            State::Probing { .. } => Some(now + self.rules.back_off),
        }
    }

    /// Asks to go through at `now`. The answer says what to report with: a probe with
    /// `probe: true`, everything else without.
    pub fn ask(&mut self, now: DateTime<Utc>) -> Answer {
        if let Some(until) = self.waits(now) {
            return Answer::Wait(until);
        }
        match self.state {
            State::Open { opened, .. } => {
                self.state = State::Probing { opened };
                Answer::Probe
            }
            _ => Answer::Go,
        }
    }

    /// Says what became of an attempt. While the circuit is not closed only the probe
    /// counts: the others set out before it opened and know nothing newer.
    pub fn report(&mut self, now: DateTime<Utc>, probe: bool, outcome: Outcome) {
        let (failures, opened) = match (self.state, probe) {
            (State::Closed { failures }, _) => (failures, 0),
            (State::Probing { opened }, true) => (self.rules.failures, opened),
            _ => return,
        };
        self.state = match outcome {
            Outcome::Healthy => State::Closed { failures: 0 },
            Outcome::Hold(wait) => State::Open {
                until: now + wait.min(self.rules.longest),
                opened,
            },
            Outcome::Failed if failures + 1 >= self.rules.failures => State::Open {
                until: now + self.back_off(opened),
                opened: opened.saturating_add(1),
            },
            Outcome::Failed => State::Closed {
                failures: failures + 1,
            },
        };
    }

    /// The probe was given up without an answer: the next one who asks may try.
    pub fn forsake(&mut self, now: DateTime<Utc>) {
        if let State::Probing { opened } = self.state {
            self.state = State::Open { until: now, opened };
        }
    }

    /// Whether everything goes through.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    fn back_off(&self, opened: u32) -> Duration {
        let factor = 2_u32.saturating_pow(opened);
        self.rules.back_off.saturating_mul(factor).min(self.rules.longest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules {
        failures: 3,
        back_off: Duration::from_secs(30),
        longest: Duration::from_secs(100),
    };

    fn at(seconds: u64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn opened_at_zero() -> Breaker {
        let mut breaker = Breaker::new(RULES);
        for _ in 0..3 {
            assert_eq!(breaker.ask(at(0)), Answer::Go);
            breaker.report(at(0), false, Outcome::Failed);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_others_do_not() {
        let mut breaker = Breaker::new(RULES);
        for outcome in [
            Outcome::Failed,
            Outcome::Failed,
            Outcome::Healthy,
            Outcome::Failed,
        ] {
            breaker.report(at(0), false, outcome);
            assert!(breaker.is_closed());
        }
        breaker.report(at(1), false, Outcome::Failed);
        breaker.report(at(1), false, Outcome::Failed);
        assert_eq!(breaker.ask(at(2)), Answer::Wait(at(31)));
    }

    #[test]
    fn one_probe_goes_and_closes_it() {
        let mut breaker = opened_at_zero();
        assert_eq!(breaker.ask(at(30)), Answer::Probe);
        assert_eq!(breaker.ask(at(30)), Answer::Wait(at(60)));
        breaker.report(at(31), true, Outcome::Healthy);
        assert_eq!(breaker.ask(at(31)), Answer::Go);
    }

    #[test]
    fn each_failed_probe_doubles_the_wait_up_to_the_longest() {
        let mut breaker = opened_at_zero();
        for (now, until) in [(30, 90), (90, 190), (190, 290)] {
            assert_eq!(breaker.ask(at(now)), Answer::Probe);
            breaker.report(at(now), true, Outcome::Failed);
            assert_eq!(breaker.ask(at(now)), Answer::Wait(at(until)));
        }
    }

    #[test]
    fn latecomers_do_not_count_while_it_is_open() {
        let mut breaker = opened_at_zero();
        breaker.report(at(1), false, Outcome::Healthy);
        breaker.report(at(2), false, Outcome::Failed);
        assert_eq!(breaker.ask(at(3)), Answer::Wait(at(30)));
        assert_eq!(breaker.ask(at(30)), Answer::Probe);
        breaker.report(at(31), false, Outcome::Healthy);
        assert!(!breaker.is_closed());
    }

    #[test]
    fn a_hold_opens_it_at_once_for_as_long_as_was_asked() {
        let mut breaker = Breaker::new(RULES);
        breaker.report(at(0), false, Outcome::Hold(Duration::from_secs(7)));
        assert_eq!(breaker.ask(at(6)), Answer::Wait(at(7)));
        assert_eq!(breaker.ask(at(7)), Answer::Probe);
        breaker.report(at(7), true, Outcome::Hold(Duration::from_hours(24)));
        assert_eq!(breaker.ask(at(8)), Answer::Wait(at(107)));
    }

    proptest! {
        /// Whatever happens in whatever order: while it is open nobody goes, there is never
        /// more than one probe, and nobody is told to wait longer than the longest.
        #[test]
        fn one_probe_at_a_time_and_nobody_while_it_is_open(
            steps in prop::collection::vec((0_u8..6, 0_u64..200), 1..200),
        ) {
            let (mut breaker, mut now, mut probing) = (Breaker::new(RULES), at(0), false);
            for (what, number) in steps {
                let outcome = match number % 3 {
                    0 => Outcome::Healthy,
                    1 => Outcome::Failed,
                    _ => Outcome::Hold(Duration::from_secs(number)),
                };
                match what {
                    0 => now += Duration::from_secs(number),
                    1 => breaker.report(now, false, outcome),
                    2 if probing => {
                        breaker.report(now, true, outcome);
                        probing = false;
                    }
                    3 if probing => {
                        breaker.forsake(now);
                        probing = false;
                    }
                    _ => match breaker.ask(now) {
                        Answer::Go => prop_assert!(breaker.is_closed() && !probing),
                        Answer::Probe => {
                            prop_assert!(!breaker.is_closed() && !probing);
                            probing = true;
                        }
                        Answer::Wait(until) => {
                            prop_assert!(!breaker.is_closed() && until > now);
                            prop_assert!(until <= now + RULES.longest);
                        }
                    },
                }
            }
        }
    }

    #[test]
    fn a_probe_that_is_given_up_frees_the_way_for_another() {
        let mut breaker = opened_at_zero();
        assert_eq!(breaker.ask(at(30)), Answer::Probe);
        breaker.forsake(at(33));
        assert_eq!(breaker.ask(at(33)), Answer::Probe);
    }
}
