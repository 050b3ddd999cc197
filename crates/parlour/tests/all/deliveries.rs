//! `parlour deliveries …`

use parlour_testkit::{App, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_listed_and_driven_again_and_a_job_is_cancelled() {
    let services = [parlour_identity::service(), parlour_notify::service()];
    let app = App::of(&services)
        .with_vhost()
        .set("notify.email.order", json!([]))
        .start()
        .await;
    let desk = Desk::new(&app.database().url(None), &app.vhost().url(None));
    assert!(
        desk.complain(&["deliveries", "failed", "--channel", "fax"])
            .contains("is none of socket")
    );
    // No provider is configured here, so that the mail about a new account cannot be sent.
    let owner = app.person("owner").await;
    let failed = || {
        let printed = desk.print(&["deliveries", "failed", "--channel", "email"]);
        printed
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect::<Vec<_>>()
    };
    let line = eventually(async || failed().pop()).await;
    assert_eq!(
        (&line["type"], &line["class"], &line["account_id"]),
        (&json!("verify_email"), &json!("permanent"), &json!(owner.id))
    );
    assert!(!line.to_string().contains(&owner.email));
    let id = line["id"].as_str().unwrap().to_owned();
    let printed = desk.print(&["deliveries", "redrive", &id]);
    assert_eq!(printed, "1 deliveries are tried again\n");
    eventually(async || !failed().is_empty()).await;
    let nobody = Uuid::now_v7().to_string();
    assert!(
        desk.complain(&["deliveries", "redrive", &nobody])
            .contains("1 of 1 had not been given up")
    );

    let body = json!({ "type": "news", "title": "T", "message": "M", "role": "guide" });
    let accepted = app
        .by(&owner)
        .post("/api/notifications/send-bulk")
        .json(body)
        .await
        .expect(202)
        .data();
    let job = accepted["job_id"].as_str().unwrap();
    let ended = desk.run(&["deliveries", "cancel-job", job]);
    let status = app
        .by(&owner)
        .get(accepted["status_url"].as_str().unwrap())
        .await
        .data()["status"]
        .clone();
    // The job may have been quicker.
    let expected = if ended.status.success() {
        "cancelled"
    } else {
        "done"
    };
    assert_eq!(status, expected);
    assert!(
        desk.complain(&["deliveries", "cancel-job", job])
            .contains("there is no job")
    );
}
