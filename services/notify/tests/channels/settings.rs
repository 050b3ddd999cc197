//! The configuration: the shipped defaults can be used, and mistakes are named.

use parlour_config::Layers;
use parlour_notify::channels::Settings;
use parlour_notify::channels::settings::{EmailProvider, Security};
use secrecy::ExposeSecret as _;

const DEFAULTS: &str = include_str!("../../src/channels/config.toml");

fn read(environment: &str, toml: &str) -> Result<Settings, String> {
    let layers = Layers::fixed(&[&format!("environment = '{environment}'"), DEFAULTS, toml], &[]).unwrap();
    layers
        .part::<Settings>("notify")
        .map_err(|error| error.to_string())
}

const PRODUCTION: &str = "
    [notify.email]
    order = ['main']
    [notify.email.providers.main.smtp]
    host = 'smtp.example.org'
    username = 'parlour'
    password = 'hush'
    from = 'Parlour <no-reply@example.org>'
    [notify.sms]
    order = []
    [notify.push]
    order = []
";

#[test]
fn the_shipped_values_serve_development() {
    let settings = read("development", "").unwrap();
    assert!(settings.use_sink());
    assert_eq!(settings.email.order, ["outbox"]);
}

#[test]
fn production_refuses_the_sink_and_open_doors() {
    let problems = read("production", "").unwrap_err();
    for sentence in [
        "notify.email.providers.outbox is the development sink, which production refuses; name a real provider",
        "notify.sms.providers.outbox is the development sink, which production refuses; name a real provider",
        "notify.push.providers.browsers needs a private_key in production",
        "notify.push.providers.browsers must not have private_endpoints in production",
    ] {
        assert!(problems.contains(sentence), "{sentence} is not in {problems}");
    }
    let settings = read("production", PRODUCTION).unwrap();
    assert!(!settings.use_sink());
    let (name, provider) = settings.email.in_order().next().unwrap();
    let EmailProvider::Smtp(smtp) = provider else {
        panic!("{provider:?}");
    };
    assert_eq!(
        (name, smtp.security, smtp.port()),
        ("main", Security::Starttls, 587)
    );
    assert_eq!(smtp.password.expose_secret(), "hush");
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn plain_smtp_is_for_this_machine() {
    let plain = |host: &str| {
        let plain = "[notify.email.providers.main.smtp]\nsecurity = 'plain'";
        read(
            "production",
            &PRODUCTION
                .replace("[notify.email.providers.main.smtp]", plain)
                .replace("smtp.example.org", host),
        )
    };
    assert!(
        plain("smtp.example.org")
            .unwrap_err()
            .contains("must not be plain in production")
    );
    assert!(plain("127.0.0.1").is_ok() && plain("localhost").is_ok() && plain("::1").is_ok());
}

#[test]
fn mistakes_are_named() {
    for (toml, sentence) in [
        (
            "[notify.email]\norder = ['mian']",
            "email.order names \"mian\", and email.providers has no such entry",
        ),
        (
            "[notify.email]\norder = ['outbox', 'outbox']",
            "email.order names \"outbox\" twice",
        ),
        (
            "[notify.email]\nbreak_after = 0",
            "email.break_after must be at least 1",
        ),
        (
            "[notify.push.providers.browsers.web_push]\nprivate_key = 'abc'",
            "push.providers.browsers has a private_key that is no P-256 key",
        ),
        (
            "[notify.sms]\norder = ['t']\n[notify.sms.providers.t.twilio]\naccount_sid = 'AC1'\nauth_token = 'x'\nfrom = '46701740605'",
            "sms.providers.t needs either from (a number with its +) or messaging_service_sid",
        ),
        ("[notify.email.providers.main.smtp]\nhots = 'x'", "hots"),
        ("[notify.email.providers.main.carrier_pigeon]", "carrier_pigeon"),
    ] {
        let problems = read("development", toml).unwrap_err();
        assert!(problems.contains(sentence), "{sentence} is not in {problems}");
    }
}

#[test]
fn an_order_may_be_one_text_with_commas() {
    let second = "[notify.email]\norder = 'outbox, second'\n[notify.email.providers.second.sink]";
    assert_eq!(
        read("development", second).unwrap().email.order,
        ["outbox", "second"]
    );
}
