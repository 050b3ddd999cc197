//! Appointments: every status × every move of a person × every phase × everybody.

use chrono::{DateTime, Duration, Utc};
use parlour_chassis::{Clock, Hands};
use parlour_orders::domain::appointment::{Action, Party, Phase, Refusal, Status, decide};
use parlour_testkit::{App, Person};
use serde_json::json;

use crate::appointments::{act, book, bookable, monday_after};
use crate::services;
use crate::support::{id, known};

/// A time for each phase of an appointment that starts at `start` and takes 50 minutes.
fn at(phase: Phase, start: DateTime<Utc>) -> DateTime<Utc> {
    match phase {
        Phase::Ahead => start - Duration::minutes(1),
        Phase::Running => start,
        Phase::Over => start + Duration::minutes(50),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_status_every_move_everybody() {
    let began = Utc::now();
    let (clock, hands): (Clock, Hands) = Clock::manual(began);
    let stage = bookable(App::of(&services()).clock(clock)).await;
    let start = monday_after(began, 9);
    let appointment = id(&book(&stage, &stage.client, start).await.expect(201).json());
    let stranger = stage.another_reader("Strange", &[]).await;
    let supporter = stage.app.person("support").await;
    known(&stage.app, supporter.id, "support", "Sue", &[]).await;
    let callers: [(&Person, &[Party]); 6] = [
        (&stage.client, &[Party::Client]),
        (&stage.reader, &[Party::Counselor]),
        (&stage.admin, &[Party::Admin]),
        (&stage.monitor, &[]),
        (&stranger, &[]),
        (&supporter, &[]),
    ];
    let mut wrong = Vec::new();
    for (person, parties) in callers {
        for status in Status::ALL {
            for phase in [Phase::Ahead, Phase::Running, Phase::Over] {
                for (action, path, body) in [
                    (Action::Confirm, "confirm", json!({})),
                    (Action::Cancel, "cancel", json!({})),
                    (Action::MissedByClient, "cancel", json!({ "no_show": true })),
                ] {
                    hands.set(at(phase, start));
                    let reset = format!("UPDATE orders.appointments SET status = '{status}'");
                    stage.sql(&reset).await;
                    let answer = act(&stage, person, appointment, path, body).await;
                    let wanted = match decide(action, *status, phase, parties) {
                        _ if parties.is_empty() => 404,
                        Ok(_) => 200,
                        Err(Refusal::NotYours) => 403,
                        Err(_) => 409,
                    };
                    if answer.status() != wanted {
                        wrong.push(format!(
                            "{parties:?} {action} {status} {phase:?}: {answer}, not {wanted}"
                        ));
                    }
                    if let (200, Ok(to)) = (answer.status(), decide(action, *status, phase, parties)) {
                        assert_eq!(answer.json()["status"], to.name());
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
