//! The life of an order: one table of moves. What may be done, what is shown as
//! possible, and the documentation come from it.

use parlour_contracts::named;

named! {
    /// Where an order is.
    Status {
        /// Waits for a reader.
        Pending = "pending",
        /// A reader works on it.
        Assigned = "assigned",
        /// The result waits for a monitor.
        Submitted = "submitted",
        /// The client may read the result.
        Delivered = "delivered",
        /// Ended without a result.
        Cancelled = "cancelled",
    }
}

named! {
    /// What can be done with an order.
    Action {
        /// Give it to a reader.
        Assign = "assign",
        /// Give it to another reader.
        Reassign = "reassign",
        /// Hand a result in.
        Submit = "result",
        /// Approve the result, which delivers it.
        Approve = "approve",
        /// Send the result back with a reason.
        Reject = "reject",
        /// End it without a result.
        Cancel = "cancel",
        /// Rate what was delivered.
        Review = "review",
    }
}

named! {
    /// What somebody is to an order. A person can be several.
    Party {
        /// Placed it.
        Client = "client",
        /// Works on it.
        Reader = "reader",
        /// Reviews results.
        Monitor = "monitor",
        /// Runs the platform.
        Admin = "admin",
        /// Nobody: the platform itself.
        Platform = "platform",
    }
}

/// One move: `action` takes an order from one status to another, by any of these parties.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What is done.
    pub action: Action,
    /// Where the order is.
    pub from: Status,
    /// Where it is then.
    pub to: Status,
    /// Who may.
    pub by: &'static [Party],
}

const fn rule(action: Action, from: Status, to: Status, by: &'static [Party]) -> Rule {
    Rule { action, from, to, by }
}

/// Every legal move.
pub const RULES: [Rule; 9] = {
    use Action::{Approve, Assign, Cancel, Reassign, Reject, Review, Submit};
    use Party::{Admin, Client, Monitor, Platform, Reader};
    use Status::{Assigned, Cancelled, Delivered, Pending, Submitted};
    [
        rule(Assign, Pending, Assigned, &[Admin, Platform]),
        rule(Reassign, Assigned, Assigned, &[Admin]),
        rule(Submit, Assigned, Submitted, &[Reader]),
        rule(Approve, Submitted, Delivered, &[Monitor, Admin]),
        rule(Reject, Submitted, Assigned, &[Monitor, Admin]),
        rule(Cancel, Pending, Cancelled, &[Client, Admin, Platform]),
        rule(Cancel, Assigned, Cancelled, &[Client, Admin, Platform]),
        rule(Cancel, Submitted, Cancelled, &[Admin, Platform]),
        rule(Review, Delivered, Delivered, &[Client]),
    ]
};

/// Why a move is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// None of the parties may do this, wherever the order is.
    NotYours,
    /// Whoever has a stake in the order does not decide about its result.
    Stake,
    /// Not where the order is.
    State,
}

impl Action {
    /// Whether it decides about a result.
    pub const fn is_verdict(self) -> bool {
        matches!(self, Action::Approve | Action::Reject)
    }
}

/// Where `action` by somebody who is `parties` takes an order that is at `status`.
pub fn decide(action: Action, status: Status, parties: &[Party]) -> Result<Status, Refusal> {
    let mine = |rule: &&Rule| rule.action == action && rule.by.iter().any(|party| parties.contains(party));
    if !RULES.iter().any(|rule| mine(&rule)) {
        return Err(Refusal::NotYours);
    }
    if action.is_verdict() && has_stake(parties) {
        return Err(Refusal::Stake);
    }
    RULES
        .iter()
        .filter(mine)
        .find(|rule| rule.from == status)
        .map(|rule| rule.to)
        .ok_or(Refusal::State)
}

/// Whether these parties want something of the order.
pub fn has_stake(parties: &[Party]) -> bool {
    parties.contains(&Party::Client) || parties.contains(&Party::Reader)
}

/// What somebody who is `parties` may do next; the caller leaves out what other rules forbid.
pub fn next_actions(status: Status, parties: &[Party]) -> Vec<Action> {
    Action::ALL
        .iter()
        .copied()
        .filter(|action| decide(*action, status, parties).is_ok())
        .collect()
}

/// Whether somebody who is `parties` may read the result of an order at `status`. The
/// client sees nothing before the approval, also one who is a monitor as well.
pub fn sees_result(status: Status, parties: &[Party]) -> bool {
    if parties.contains(&Party::Client) {
        return status == Status::Delivered;
    }
    !parties.is_empty()
}

/// The table for the documentation, as Markdown.
pub fn table() -> String {
    let row = |rule: &Rule| {
        let by: Vec<&str> = rule.by.iter().map(|party| party.name()).collect();
        let (action, from, to) = (rule.action, rule.from, rule.to);
        format!("| {action} | {from} | {to} | {} |\n", by.join(", "))
    };
    let rows: String = RULES.iter().map(row).collect();
    format!("| action | from | to | by |\n|---|---|---|---|\n{rows}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parties() -> impl Strategy<Value = Vec<Party>> {
        prop::sample::subsequence(Party::ALL.to_vec(), 0..=Party::ALL.len())
    }

    #[test]
    fn a_move_stands_in_the_table_once() {
        for (index, one) in RULES.iter().enumerate() {
            let same = |other: &Rule| other.action == one.action && other.from == one.from;
            assert!(!RULES.iter().skip(index + 1).any(same), "{one:?}");
        }
    }

    #[test]
    fn nothing_leaves_the_ends() {
        for rule in RULES {
            let ended = matches!(rule.from, Status::Delivered | Status::Cancelled);
            assert!(!ended || rule.to == rule.from, "{rule:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_as_next_is_what_is_allowed(at in 0..Status::ALL.len(), parties in parties()) {
            let status = Status::ALL[at];
            let next = next_actions(status, &parties);
            for action in Action::ALL {
                prop_assert_eq!(next.contains(action), decide(*action, status, &parties).is_ok());
            }
        }

        #[test]
        fn nobody_with_a_stake_passes_a_verdict(at in 0..Status::ALL.len(), parties in parties()) {
            prop_assume!(has_stake(&parties));
            for action in [Action::Approve, Action::Reject] {
                prop_assert!(decide(action, Status::ALL[at], &parties).is_err());
            }
        }

        #[test]
        fn the_client_sees_the_result_after_the_approval_alone(at in 0..Status::ALL.len(), mut parties in parties()) {
            parties.push(Party::Client);
            let status = Status::ALL[at];
            prop_assert_eq!(sees_result(status, &parties), status == Status::Delivered);
        }
    }

    /// The README has the table of the code.
    #[test]
    fn the_readme_has_this_table() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&table()), "put this into README.md:\n{}", table());
    }
}
