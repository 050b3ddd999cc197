//! The table of bad input.

use bytes::Bytes;
use serde_json::{Value, json};

use super::example;
use super::operation::Operation;
use crate::paths;

/// The largest JSON body that is read, in bytes.
const MOST: usize = 1024 * 1024;

/// Texts that somebody sends, by accident or not.
const TEXTS: [(&str, &str); 12] = [
    ("empty", ""),
    ("blank", " \t\n"),
    ("a null character", "a\0b"),
    ("a right-to-left override", "\u{202e}gnp.exe"),
    ("control characters", "\u{1}\u{7f}\u{85}\u{fffe}"),
    (
        "combining marks",
        "Z\u{351}\u{36b}\u{343}\u{36a}\u{302}\u{36b}\u{33d}",
    ),
    ("emoji", "👩‍👩‍👧‍👦🏴‍☠️"),
    ("Arabic", "السلام عليكم"),
    ("SQL", "'; DROP TABLE accounts; --"),
    ("SQL that is true", "' OR '1'='1"),
    ("a path", "../../../etc/passwd"),
    ("a template", "{{7*7}}${jndi:ldap://x}%s%n"),
];

/// What is sent.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) path: String,
    /// Content type, if any, and body.
    pub(super) body: Option<(Option<&'static str>, Bytes)>,
    pub(super) header: Option<(&'static str, String)>,
}

/// What has to come back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// Anything that is well-formed and no failure of ours.
    Answer,
    /// This status.
    Status(u16),
}

/// One line of the table.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) sent: Sent,
    pub(super) expected: Expected,
}

/// All that can be tried on a route.
pub(super) fn all(operation: &Operation) -> Vec<Case> {
    let mut cases = Vec::new();
    let id = uuid::Uuid::now_v7().to_string();
    let good = Sent {
        path: paths::filled(&operation.template, &id),
        body: operation.body.as_ref().map(|schema| {
            let body = example::of(operation, schema).to_string();
            (Some("application/json"), Bytes::from(body))
        }),
        header: None,
    };
    in_path(operation, &good, &mut cases);
    in_query(operation, &good, &mut cases);
    in_headers(&good, &mut cases);
    if let Some(schema) = &operation.body {
        whole_bodies(operation, schema, &good, &mut cases);
        in_fields(operation, schema, &good, &mut cases);
    }
    cases
}

fn add(cases: &mut Vec<Case>, name: String, sent: Sent, expected: Expected) {
    cases.push(Case { name, sent, expected });
}

/// Texts as they stand in a URL, and what is no text at all.
fn encoded() -> Vec<(&'static str, String)> {
    let mut values: Vec<(&str, String)> = TEXTS.iter().map(|(name, text)| (*name, percent(text))).collect();
    values.push(("10,000 characters", "x".repeat(10_000)));
    values.push(("invalid UTF-8", "%ff%fe".to_owned()));
    values.push(("half an escape", "%zz".to_owned()));
    values
}

fn percent(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric();
    text.bytes()
        .map(|b| {
            if plain(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02x}")
            }
        })
        .collect()
}

fn in_path(operation: &Operation, good: &Sent, cases: &mut Vec<Case>) {
    for name in paths::parameters(&operation.template) {
        let others = operation.template.replace(&format!("{{{name}}}"), "\u{0}");
        let others = paths::filled(&others, &uuid::Uuid::now_v7().to_string());
        let mut values = encoded();
        values.push(("not a UUID", "12345".to_owned()));
        values.push(("almost a UUID", "01890000-0000-7000-8000-00000000000g".to_owned()));
        for (what, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
            let sent = Sent {
                path: others.replace('\u{0}', &value),
                ..good.clone()
            };
            add(cases, format!("{{{name}}} is {what}"), sent, Expected::Answer);
        }
    }
}

fn in_query(operation: &Operation, good: &Sent, cases: &mut Vec<Case>) {
    for name in &operation.query {
        let mut values = encoded();
        values.extend([
            ("negative", "-1".to_owned()),
            ("too large", "9223372036854775808".to_owned()),
        ]);
        for (what, value) in values {
            let sent = Sent {
                path: format!("{}?{name}={value}", good.path),
                ..good.clone()
            };
            add(cases, format!("?{name} is {what}"), sent, Expected::Answer);
        }
        let sent = Sent {
            path: format!("{}?{name}=1&{name}=2&{name}", good.path),
            ..good.clone()
        };
        add(cases, format!("?{name} comes thrice"), sent, Expected::Answer);
    }
    let many: Vec<String> = (0..500).map(|n| format!("p{n}={n}")).collect();
    let sent = Sent {
        path: format!("{}?{}", good.path, many.join("&")),
        ..good.clone()
    };
    add(cases, "500 parameters".to_owned(), sent, Expected::Answer);
}

fn in_headers(good: &Sent, cases: &mut Vec<Case>) {
    let headers = [
        ("idempotency-key", "k".repeat(300)),
        ("x-request-id", "<script>".to_owned()),
        ("x-forwarded-for", "nowhere, 999.1.1.1".to_owned()),
        ("accept", "text/html".to_owned()),
        ("cookie", "parlour_session; =; \"".to_owned()),
    ];
    for (name, value) in headers {
        let sent = Sent {
            header: Some((name, value)),
            ..good.clone()
        };
        add(cases, format!("a strange {name}"), sent, Expected::Answer);
    }
}

fn whole_bodies(operation: &Operation, schema: &Value, good: &Sent, cases: &mut Vec<Case>) {
    let body = example::of(operation, schema).to_string();
    let mut large = body.clone().into_bytes();
    large.resize(MOST + 1, b' ');
    let json = Some("application/json");
    let bodies: [(&str, Option<&'static str>, Bytes, u16); 12] = [
        ("no body", json, Bytes::new(), 400),
        ("half a body", json, Bytes::from_static(b"{\"a\":"), 400),
        ("a body and a half", json, format!("{body}{{").into(), 400),
        ("a trailing comma", json, Bytes::from_static(b"{\"a\":1,}"), 400),
        ("no JSON", json, Bytes::from_static(b"a=1&b=2"), 400),
        (
            "invalid UTF-8",
            json,
            Bytes::from_static(b"{\"a\":\"\xff\xfe\"}"),
            400,
        ),
        (
            "half a surrogate pair",
            json,
            Bytes::from_static(b"{\"a\":\"\\ud800\"}"),
            400,
        ),
        ("100,000 brackets", json, "[".repeat(100_000).into(), 400),
        ("plain text", Some("text/plain"), body.clone().into(), 415),
        ("XML", Some("application/xml"), Bytes::from_static(b"<a/>"), 415),
        ("no content type", None, body.into(), 415),
        ("1 MiB and a byte", json, large.into(), 413),
    ];
    for (name, kind, bytes, status) in bodies {
        let sent = Sent {
            body: Some((kind, bytes)),
            ..good.clone()
        };
        add(cases, name.to_owned(), sent, Expected::Status(status));
    }
    for body in [json!(null), json!([]), json!("text"), json!(1), json!({})] {
        let sent = Sent {
            body: Some((json, body.to_string().into())),
            ..good.clone()
        };
        add(cases, format!("the body {body}"), sent, Expected::Answer);
    }
}

fn in_fields(operation: &Operation, schema: &Value, good: &Sent, cases: &mut Vec<Case>) {
    for (name, field) in operation.fields(schema) {
        let is_text = operation.types(field).contains(&"string");
        let texts = TEXTS.iter().map(|(what, text)| (*what, Value::from(*text)));
        for (what, value) in texts.chain(values()) {
            let mut body = example::of(operation, schema);
            let Some(object) = body.as_object_mut() else {
                return;
            };
            object.insert(name.to_owned(), value);
            let null_in_text = is_text && what == "a null character";
            let expected = if null_in_text {
                Expected::Status(400)
            } else {
                Expected::Answer
            };
            let sent = Sent {
                body: Some((Some("application/json"), body.to_string().into())),
                ..good.clone()
            };
            add(cases, format!("{name} is {what}"), sent, expected);
        }
    }
}

/// What is not of the right type, or too much of it.
fn values() -> impl Iterator<Item = (&'static str, Value)> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    [
        ("10,000 characters", json!("x".repeat(10_000))),
        ("10,000 emoji", json!("👩‍👧".repeat(10_000))),
        ("null", json!(null)),
        ("true", json!(true)),
        ("zero", json!(0)),
        ("negative", json!(-1)),
        ("a fraction", json!(0.1)),
        ("beyond 64 bits", json!(1e300)),
        ("just beyond 63 bits", json!(9_223_372_036_854_775_808_u64)),
        ("an empty list", json!([])),
        ("a list of everything", json!([null, 1, "a\0", {}, []])),
        ("10,000 items", Value::from(vec!["x"; 10_000])),
        ("an empty object", json!({})),
        ("an object", json!({ "$ne": null, "__proto__": {} })),
        ("a hundred lists", deep),
    ]
    .into_iter()
}
