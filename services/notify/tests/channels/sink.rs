//! The development sink, as those who develop use it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlour_chassis::Clock;
use parlour_config::Environment;
use parlour_notify::channels::settings::{EmailProvider, SmsProvider};
use parlour_notify::channels::twilio::MessageStatus;
use parlour_notify::channels::{Address, Class, Providers, Settings};
use parlour_notify::sink::Sink;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{OwnSink, group, mail, mailing, nobody, now, sink_settings, text};

#[tokio::test]
async fn a_mail_lands_with_all_that_it_was() {
    let own = OwnSink::start().await;
    let (providers, _hands) = mailing([("outbox", EmailProvider::Sink {})], Some(&own.sink));
    let mut message = mail("ana@example.org");
    message.content.subject = "قراءتك جاهزة ✨".to_owned();
    message.content.text = ".a dot\n..two\nمرحبا 👋\n".to_owned();
    message.content.html = Some("<p>مرحبا <b>Ana</b></p>".to_owned());
    // Longer than a line may be, and than the sink's longest chunk.
    message.data = json!({ "code": "123456", "note": "ö".repeat(5000) });
    let sent = providers.carry(&message).await.unwrap();
    assert_eq!(sent.provider, "outbox");
    assert!(sent.provider_id.is_some());

    let lines = own.lines("mail.jsonl");
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!(line["to"], "ana@example.org");
    assert_eq!(line["subject"], "قراءتك جاهزة ✨");
    assert_eq!(
        line["text"].as_str().unwrap().trim_end(),
        ".a dot\n..two\nمرحبا 👋"
    );
    assert_eq!(
        line["html"].as_str().unwrap().trim_end(),
        "<p>مرحبا <b>Ana</b></p>"
    );
    assert_eq!(line["data"], message.data);
    assert_eq!(
        line["headers"]["Message-ID"],
        format!("<{}@localhost>", message.delivery_id)
    );
    assert!(line["at"].as_str().unwrap().ends_with('Z'));
    assert!(line["headers"].get("X-Parlour-Data").is_none());
}

#[tokio::test]
async fn a_text_lands_and_is_reported_back_signed() {
    let (callbacks, mut reported) = crate::support::http::recorder().await;
    let own = OwnSink::of(parlour_notify::sink::Settings {
        status_callback: Some(format!("{callbacks}/status?from=sink")),
        ..sink_settings()
    })
    .await;
    let settings = Settings {
        sms: group([("outbox", SmsProvider::Sink {})]),
        ..nobody()
    };
    let providers = Providers::new(&settings, Some(&own.sink), &Clock::manual(now()).0).unwrap();
    let mut message = text("+46701740605");
    message.content.text = "Your code is 123456. قراءة".to_owned();
    let sent = providers.carry(&message).await.unwrap();

    let lines = own.lines("sms.jsonl");
    assert_eq!(lines[0]["to"], "+46701740605");
    assert_eq!(lines[0]["text"], message.content.text);
    assert_eq!(lines[0]["data"], message.data);
    assert_eq!(lines[0]["subject"], Value::Null);

    for status in [MessageStatus::Sent, MessageStatus::Delivered] {
        let callback = reported.recv().await.unwrap();
        let report = providers
            .read_sms_status(
                &callback.query,
                &callback.form(),
                callback.header("x-twilio-signature"),
            )
            .unwrap();
        assert_eq!(report.delivery_id, message.delivery_id);
        assert_eq!(Some(&report.sid), sent.provider_id.as_ref());
        assert_eq!(report.status, status);
        assert_eq!(report.class(), None);
        let forged = providers.read_sms_status(&callback.query, &callback.form(), "Zm9yZ2Vk");
        assert_eq!(forged, None);
        assert_eq!(
            providers.read_sms_status("", &callback.form(), callback.header("x-twilio-signature")),
            None
        );
    }
}

#[tokio::test]
async fn numbers_for_tests_fail_as_twilios_do() {
    let own = OwnSink::start().await;
    let settings = Settings {
        sms: group([("outbox", SmsProvider::Sink {})]),
        ..nobody()
    };
    let providers = Providers::new(&settings, Some(&own.sink), &Clock::manual(now()).0).unwrap();
    for (to, class) in [
        ("+15005550001", Class::BadAddress),
        ("+15005550003", Class::Permanent),
        ("+15005550004", Class::BadAddress),
        ("+15005550009", Class::BadAddress),
        ("nonsense", Class::BadAddress),
    ] {
        let refused = providers.carry(&text(to)).await.unwrap_err();
        assert_eq!(refused.class, class, "{to}: {refused}");
        assert!(!refused.words.contains(to), "{refused}");
    }
    let mut long = text("+46701740605");
    long.content.text = "x".repeat(1601);
    assert_eq!(providers.carry(&long).await.unwrap_err().class, Class::Permanent);
    assert!(own.lines("sms.jsonl").is_empty());
}

#[tokio::test]
async fn the_page_shows_it_and_lets_nothing_run() {
    let own = OwnSink::start().await;
    let (providers, _hands) = mailing([("outbox", EmailProvider::Sink {})], Some(&own.sink));
    let mut message = mail("ana@example.org");
    message.content.subject = "<script>alert(1)</script>".to_owned();
    message.content.html = Some("<img src=x onerror=\"alert(2)\">".to_owned());
    providers.carry(&message).await.unwrap();

    let page = format!("http://{}/dev/outbox", own.sink.http_address());
    let answer = reqwest::get(&page).await.unwrap();
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("script-src"));
    let html = answer.text().await.unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !html.contains("<script"));
    assert!(html.contains(
        "<iframe sandbox title=\"The mail's HTML\" srcdoc=\"&lt;img src=x onerror=&quot;alert(2)&quot;&gt;"
    ));
    assert!(html.contains("href=\"https://parlour.example/orders/1\""));

    let list: Value = reqwest::get(format!("{page}.json"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list[0]["medium"], "mail");
    assert_eq!(list[0]["entry"]["to"], "ana@example.org");

    let foreign = reqwest::Client::new()
        .get(&page)
        .header("host", "evil.example:80")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), 404);
    let own_name = reqwest::Client::new()
        .get(&page)
        .header("host", "localhost:5009")
        .send()
        .await
        .unwrap();
    assert_eq!(own_name.status(), 200);
}

#[tokio::test]
async fn production_and_foreign_addresses_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |settings, environment| {
        Sink::start(&settings, environment, folder.path(), CancellationToken::new())
            .await
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        start(sink_settings(), Environment::Production).await,
        "the development sink is not for production: configure real providers for notify"
    );
    let open = parlour_notify::sink::Settings {
        smtp_listen: "0.0.0.0:0".parse().unwrap(),
        ..sink_settings()
    };
    assert!(
        start(open, Environment::Development)
            .await
            .contains("loopback only")
    );
}

#[tokio::test]
async fn a_browser_that_subscribes_here_gets_its_messages() {
    let own = OwnSink::start().await;
    let settings = Settings {
        push: group([("browsers", crate::web_push::provider(true))]),
        ..nobody()
    };
    let providers = Providers::new(&settings, None, &Clock::manual(now()).0).unwrap();
    let client = reqwest::Client::new();
    let subscribe = format!("http://{}/push/subscriptions", own.sink.http_address());
    let subscription: Value = client.post(subscribe).send().await.unwrap().json().await.unwrap();
    let endpoint = subscription["endpoint"].as_str().unwrap();
    let bytes = |key: &str| {
        URL_SAFE_NO_PAD
            .decode(subscription["keys"][key].as_str().unwrap())
            .unwrap()
    };
    assert_eq!(
        providers.check_subscription(endpoint, &bytes("p256dh"), &bytes("auth")),
        Ok(())
    );
    let message = crate::support::message(Address::WebPush {
        endpoint: endpoint.into(),
        p256dh: bytes("p256dh"),
        auth: bytes("auth"),
    });
    providers.carry(&message).await.unwrap();

    let lines = own.lines("push.jsonl");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["subject"], "Your reading is ready");
    assert_eq!(lines[0]["text"], message.content.text);
    assert_eq!(lines[0]["data"], message.data);
    assert_eq!(lines[0]["headers"]["urgency"], "normal");
    assert!(endpoint.ends_with(lines[0]["to"].as_str().unwrap()));

    client.delete(endpoint).send().await.unwrap();
    assert_eq!(
        providers.carry(&message).await.unwrap_err().class,
        Class::BadAddress
    );
}
