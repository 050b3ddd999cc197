//! Every status × every move × everybody, from the table that the code uses.

use parlour_contracts::Role;
use parlour_orders::domain::order::{Action, Party, Refusal, Status, decide};
use parlour_testkit::Person;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Stage, known};

/// Somebody who tries.
struct Caller {
    name: &'static str,
    person: Person,
    roles: Vec<Role>,
    is_client: bool,
    is_reader: bool,
}

impl Caller {
    fn parties(&self) -> Vec<Party> {
        let admin = self.roles.iter().any(|role| role.covers(Role::Admin));
        let all = [
            (self.is_client, Party::Client),
            (self.is_reader, Party::Reader),
            (self.roles.contains(&Role::Monitor), Party::Monitor),
            (admin, Party::Admin),
        ];
        all.into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, party)| party)
            .collect()
    }

    /// Whether the route lets them in at all.
    fn is_admitted(&self, action: Action) -> bool {
        let needed: &[Role] = match action {
            Action::Assign | Action::Reassign => &[Role::Admin],
            Action::Submit => &[Role::Reader],
            Action::Approve | Action::Reject => &[Role::Monitor, Role::Admin],
            Action::Cancel | Action::Review => return true,
        };
        needed
            .iter()
            .any(|needed| self.roles.iter().any(|role| role.covers(*needed)))
    }
}

/// Their roles, and whether the order is theirs as a client or as a reader.
const CALLERS: [(&str, &[Role], bool, bool); 13] = [
    ("its client", &[Role::Client], true, false),
    ("another client", &[Role::Client], false, false),
    ("its reader", &[Role::Reader], false, true),
    ("another reader", &[Role::Reader], false, false),
    ("a guide", &[Role::Guide], false, false),
    ("a supporter", &[Role::Support], false, false),
    ("a monitor", &[Role::Monitor], false, false),
    ("an admin", &[Role::Admin], false, false),
    ("a super admin", &[Role::SuperAdmin], false, false),
    ("an owner", &[Role::Owner], false, false),
    (
        "a monitor whose order it is",
        &[Role::Client, Role::Monitor],
        true,
        false,
    ),
    (
        "a monitor who works on it",
        &[Role::Reader, Role::Monitor],
        false,
        true,
    ),
    (
        "an admin who works on it",
        &[Role::Reader, Role::Admin],
        false,
        true,
    ),
];

async fn callers(stage: &Stage) -> Vec<Caller> {
    let mut callers = Vec::new();
    for (name, roles, is_client, is_reader) in CALLERS {
        let person = stage.app.person_with(roles, &[]).await;
        known(&stage.app, person.id, roles[0].name(), name, &[]).await;
        callers.push(Caller {
            name,
            person,
            roles: roles.to_vec(),
            is_client,
            is_reader,
        });
    }
    callers
}

fn request(action: Action, other_reader: Uuid) -> (&'static str, Value) {
    match action {
        Action::Assign => ("assign", json!({ "reader_id": other_reader })),
        Action::Reassign => ("assign", json!({ "reader_id": other_reader, "reassign": true })),
        Action::Submit => ("result", json!({ "text": "seen" })),
        Action::Approve => ("approve", json!({})),
        Action::Reject => ("reject", json!({ "reason": "no" })),
        Action::Cancel => ("cancel", json!({})),
        Action::Review => ("review", json!({ "rating": 5 })),
    }
}

/// What has to be answered: status, code, and where the order is then.
fn expected(caller: &Caller, action: Action, status: Status) -> (u16, Option<&'static str>, Status) {
    if !caller.is_admitted(action) {
        return (403, Some("INSUFFICIENT_PERMISSIONS"), status);
    }
    let parties = caller.parties();
    if parties.is_empty() {
        return (404, Some("RESOURCE_NOT_FOUND"), status);
    }
    // With `reassign` a pending order is simply assigned.
    let action = if action == Action::Reassign && status == Status::Pending {
        Action::Assign
    } else {
        action
    };
    match decide(action, status, &parties) {
        Ok(to) => (200, None, to),
        Err(Refusal::State) => (409, Some("INVALID_STATE"), status),
        Err(_) => (403, Some("INSUFFICIENT_PERMISSIONS"), status),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_every_move_everybody() {
    let stage = Stage::set().await;
    let order = stage.ordered().await;
    let other = stage.another_reader("Other", &[]).await.id;
    let callers = callers(&stage).await;
    let database = stage.app.database().admin().await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for caller in &callers {
        let client = if caller.is_client {
            caller.person.id
        } else {
            stage.client.id
        };
        let reader = if caller.is_reader {
            caller.person.id
        } else {
            stage.reader.id
        };
        for status in Status::ALL {
            let free = matches!(status, Status::Pending | Status::Cancelled) && !caller.is_reader;
            let reader = if free {
                "NULL".to_owned()
            } else {
                format!("'{reader}'")
            };
            for action in Action::ALL {
                let reset = format!(
                    "UPDATE orders.orders SET status = '{status}', client_id = '{client}', reader_id = {reader},
                       rating = NULL WHERE id = '{order}'"
                );
                database.batch_execute(&reset).await.unwrap();
                let (path, body) = request(*action, other);
                let answer = stage.act(&caller.person, order, path, body).await;
                let after = database.query_one("SELECT status FROM orders.orders", &[]).await;
                let after: String = after.unwrap().get(0);
                let found = (answer.status(), answer.code(), after);
                let (code, name, to) = expected(caller, *action, *status);
                let wanted = (code, name.map(ToOwned::to_owned), to.name().to_owned());
                tried += 1;
                if found != wanted {
                    wrong.push(format!(
                        "{} {action} {status}: {found:?}, not {wanted:?}",
                        caller.name
                    ));
                }
            }
        }
    }
    assert_eq!(tried, CALLERS.len() * Status::ALL.len() * Action::ALL.len());
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_as_next_is_what_is_answered() {
    let stage = Stage::set().await;
    for order in [
        stage.ordered().await,
        stage.assigned().await,
        stage.submitted().await,
        stage.delivered().await,
    ] {
        for person in [&stage.client, &stage.admin, &stage.monitor] {
            let seen = stage.look(person, order).await;
            let status: Status = seen["status"].as_str().unwrap().parse().unwrap();
            let party = if person.id == stage.client.id {
                Party::Client
            } else if person.id == stage.admin.id {
                Party::Admin
            } else {
                Party::Monitor
            };
            let possible: Vec<&str> = Action::ALL
                .iter()
                .filter(|action| decide(**action, status, &[party]).is_ok())
                .map(|action| action.name())
                .collect();
            assert_eq!(seen["next_actions"], json!(possible), "{status} {party}");
        }
    }
}
