//! Scanners of files that are away.

use parlour_contracts::media::v1::ScannerChanged;

use crate::events::{gets, heard_of};
use crate::support::{list, live, publish, recorder};

#[tokio::test(flavor = "multi_thread")]
async fn administrators_hear_that_a_scanner_is_away_and_that_it_is_back() {
    let app = live().await;
    let (admin, client) = (heard_of(&app, "admin").await, heard_of(&app, "client").await);
    let mut event = ScannerChanged {
        scanner: "clamd".to_owned(),
        reachable: false,
        at_ms: 1_767_614_400_000,
    };
    publish(&app, "scanner", event.clone()).await;
    let away = gets(&app, &admin, "scanner_changed").await;
    assert_eq!(
        (away["priority"].as_str(), away["data"]["state"].as_str()),
        (Some("high"), Some("away"))
    );
    assert_eq!(away["title"], "The file scanner does not answer");
    let mails = recorder(&app).eventually("scanner_changed", 1).await;
    assert!(
        mails[0].content.text.contains("clamd has not answered since"),
        "{}",
        mails[0].content.text
    );
    event.reachable = true;
    publish(&app, "scanner", event).await;
    let mails = recorder(&app).eventually("scanner_changed", 2).await;
    assert!(
        mails[1].content.text.contains("clamd answers again"),
        "{}",
        mails[1].content.text
    );
    let others = list(&app, &client).await;
    assert!(
        others.iter().all(|told| told["type"] != "scanner_changed"),
        "{others:?}"
    );
}
