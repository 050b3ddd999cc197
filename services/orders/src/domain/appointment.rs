//! The life of an appointment.

use parlour_contracts::named;

named! {
    /// Where an appointment is.
    Status {
        /// Waits for the counsellor. Its time is taken.
        Pending = "pending",
        /// Will take place.
        Confirmed = "confirmed",
        /// Took place.
        Completed = "completed",
        /// Will not take place.
        Cancelled = "cancelled",
        /// The client did not come.
        NoShow = "no_show",
    }
}

named! {
    /// What can be done with an appointment.
    Action {
        /// Say that it will take place.
        Confirm = "confirm",
        /// Say that it will not.
        Cancel = "cancel",
        /// Say that the client did not come.
        MissedByClient = "no_show",
        /// It is over.
        Complete = "complete",
        /// Its time came and nobody had confirmed it.
        Expire = "expire",
    }
}

named! {
    /// What somebody is to an appointment.
    Party {
        /// Booked it.
        Client = "client",
        /// Was booked.
        Counselor = "counselor",
        /// Runs the platform.
        Admin = "admin",
        /// Nobody: the platform itself.
        Platform = "platform",
    }
}

named! {
    /// When a move can be made.
    When {
        /// Until it starts.
        BeforeStart = "before its start",
        /// From its start on.
        FromStart = "from its start on",
        /// From its end on.
        FromEnd = "from its end on",
    }
}

/// One move.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What is done.
    pub action: Action,
    /// Where the appointment is.
    pub from: Status,
    /// Where it is then.
    pub to: Status,
    /// Who may.
    pub by: &'static [Party],
    /// When.
    pub when: When,
}

const fn rule(action: Action, from: Status, to: Status, by: &'static [Party], when: When) -> Rule {
    Rule {
        action,
        from,
        to,
        by,
        when,
    }
}

/// Every legal move.
pub const RULES: [Rule; 6] = {
    use Action::{Cancel, Complete, Confirm, Expire, MissedByClient};
    use Party::{Admin, Client, Counselor, Platform};
    use Status::{Cancelled, Completed, Confirmed, NoShow, Pending};
    use When::{BeforeStart, FromEnd, FromStart};
    [
        rule(Confirm, Pending, Confirmed, &[Counselor], BeforeStart),
        rule(
            Cancel,
            Pending,
            Cancelled,
            &[Client, Counselor, Admin, Platform],
            BeforeStart,
        ),
        rule(
            Cancel,
            Confirmed,
            Cancelled,
            &[Client, Counselor, Admin, Platform],
            BeforeStart,
        ),
        rule(MissedByClient, Confirmed, NoShow, &[Counselor], FromStart),
        rule(Complete, Confirmed, Completed, &[Platform], FromEnd),
        rule(Expire, Pending, Cancelled, &[Platform], FromStart),
    ]
};

/// Why a move is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None of the parties may do this.
    NotYours,
    /// Not where the appointment is.
    State,
    /// Not at this time.
    Time(When),
}

/// How much of an appointment has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It has not started.
    Ahead,
    /// It has started.
    Running,
    /// It has ended.
    Over,
}

impl When {
    /// Whether that is now.
    pub fn is(self, phase: Phase) -> bool {
        match self {
            When::BeforeStart => phase == Phase::Ahead,
            When::FromStart => phase != Phase::Ahead,
            When::FromEnd => phase == Phase::Over,
        }
    }
}

/// Where `action` by somebody who is `parties` takes an appointment.
pub fn decide(action: Action, status: Status, phase: Phase, parties: &[Party]) -> Result<Status, Refusal> {
    let mine = |rule: &&Rule| rule.action == action && rule.by.iter().any(|party| parties.contains(party));
    if !RULES.iter().any(|rule| mine(&rule)) {
        return Err(Refusal::NotYours);
    }
    let found = RULES.iter().filter(mine).find(|rule| rule.from == status);
    let rule = found.ok_or(Refusal::State)?;
    if rule.when.is(phase) {
        Ok(rule.to)
    } else {
        Err(Refusal::Time(rule.when))
    }
}

/// The table for the documentation, as Markdown.
pub fn table() -> String {
    let row = |rule: &Rule| {
        let by: Vec<&str> = rule.by.iter().map(|party| party.name()).collect();
        let (action, from, to, when) = (rule.action, rule.from, rule.to, rule.when);
        format!("| {action} | {from} | {to} | {} | {when} |\n", by.join(", "))
    };
    let rows: String = RULES.iter().map(row).collect();
    format!("| action | from | to | by | when |\n|---|---|---|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_stands_in_the_table_once_and_ends_are_ends() {
        for (index, one) in RULES.iter().enumerate() {
            let same = |other: &Rule| other.action == one.action && other.from == one.from;
            assert!(!RULES.iter().skip(index + 1).any(same), "{one:?}");
            assert!(matches!(one.from, Status::Pending | Status::Confirmed), "{one:?}");
        }
    }

    #[test]
    fn every_state_can_be_reached() {
        for status in Status::ALL {
            let reached = *status == Status::Pending || RULES.iter().any(|rule| rule.to == *status);
            assert!(reached, "{status}");
        }
    }

    #[test]
    fn time_decides_where_the_state_would_allow() {
        let client = [Party::Client];
        let cancel = |phase| decide(Action::Cancel, Status::Confirmed, phase, &client);
        assert_eq!(cancel(Phase::Ahead), Ok(Status::Cancelled));
        assert_eq!(cancel(Phase::Running), Err(Refusal::Time(When::BeforeStart)));
        let missed = decide(Action::MissedByClient, Status::Confirmed, Phase::Over, &client);
        assert_eq!(missed, Err(Refusal::NotYours));
    }

    /// The README has the table of the code.
    #[test]
    fn the_readme_has_this_table() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&table()), "put this into README.md:\n{}", table());
    }
}
