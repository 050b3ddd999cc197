//! A conversation that the platform cannot read, and the proof that it has not.

use serde_json::json;

use crate::node;
use crate::platform::Platform;
use crate::searching::Words;

/// The queue that hears everything that goes through the broker.
const TAP: &str = "tap";

#[tokio::test(flavor = "multi_thread")]
async fn what_devices_encrypt_is_nowhere_in_the_clear() {
    let platform = Platform::new().await;
    // All that the log can say, what the libraries do included.
    let talkative = ("PARLOUR__TELEMETRY__LOG", "debug".to_owned());
    let process = platform.live(&[talkative]).await;
    let accounts = platform.people(&process, &["reader"]).await;
    let (database, vhost, folder) = platform.kept();
    vhost.tap(TAP).await;
    let secret = format!("canary{:032x}", rand::random::<u128>());
    let plain = format!("parrot{:032x}", rand::random::<u128>());
    let url = format!("http://{}", process.address);
    let seen = node::run("encrypted.mjs", &[&url, &accounts, &secret, &plain]).await;

    assert_eq!(seen["published"], json!([3, 2]));
    // Each one-time prekey was handed out once, and then there was none.
    assert_eq!(seen["handed"], json!([1, 2, null]));
    assert_eq!(seen["forged"], "the signed prekey is not signed by its device");
    assert_eq!(seen["first"], format!("{secret}: the first words"));
    let again = ["number 0 where 1 is due", "the one-time prekey was used before"];
    assert_eq!(seen["replayed"], json!(again));
    assert_eq!(seen["posted"], format!("{secret}: by the other way"));
    let changed = "Unsupported state or unable to authenticate data";
    assert_eq!(seen["changed"], json!([changed, changed]));
    let refused = json!({ "rest": "VALIDATION_ERROR", "socket": "VALIDATION_ERROR" });
    assert_eq!(seen["refused"], refused);
    assert_eq!(seen["messages"].as_array().unwrap().len(), 8);
    assert_eq!(seen["history"], seen["messages"]);
    assert_eq!(seen["types"], json!(["encrypted"]));

    // Everything that is to be told has been, and the log is written to its end.
    let last = Words::of(seen["plain"].as_str().unwrap());
    parlour_testkit::eventually(async || last.are_among(&vhost.stream("parlour.log").await)).await;
    process.terminate().await;

    // The search finds what has to be there: ids, ciphertext, people, and in the push of the
    // usual conversation its very words.
    let message = Words::of(seen["messages"][0].as_str().unwrap());
    let person = Words::of(seen["people"][0].as_str().unwrap());
    let (tables, all) = message.in_tables(database).await;
    assert!(
        tables.iter().any(|table| table.starts_with("chat.messages")),
        "{tables:?}"
    );
    assert!(tables.contains(&"chat.outbox".to_owned()), "{tables:?}");
    assert!(all > 100, "only {all} tables");
    let broker = message.in_broker(vhost).await;
    assert_eq!(broker, ["parlour.log", TAP]);
    let boxed = Words::of(seen["box"].as_str().unwrap());
    assert_eq!(boxed.in_broker(vhost).await, [TAP]);
    let parrot = Words::of(&plain);
    assert_eq!(parrot.in_broker(vhost).await, [TAP]);
    let log = format!("{}.log", url.rsplit(':').next().unwrap());
    assert!(person.in_files(folder).contains(&log));

    // And it finds nothing of what was said: in no table, queue, stream, log or file.
    let canary = Words::of(&secret);
    assert_eq!(canary.in_tables(database).await.0, Vec::<String>::new());
    assert_eq!(canary.in_broker(vhost).await, Vec::<String>::new());
    assert_eq!(canary.in_files(folder), Vec::<String>::new());
    // What was said in the usual conversation is sealed wherever it is kept.
    assert_eq!(parrot.in_tables(database).await.0, Vec::<String>::new());
    assert_eq!(parrot.in_files(folder), Vec::<String>::new());
}
