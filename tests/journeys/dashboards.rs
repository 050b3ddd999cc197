//! What the dashboards and alerts of `deploy/telemetry` ask for is there: every metric and label
//! that they name is shown by a platform that runs and is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use parlour_testkit::eventually;
use serde_json::json;

use crate::apart::{Apart, order};

/// Values of labels that only trouble brings about.
const RARE: &[(&str, &str)] = &[("reason", "slow"), ("outcome", "refused")];
/// Labels that Prometheus adds to what it scrapes.
const ADDED: &[&str] = &["instance", "job"];

/// A metric that a query names, with what it asks of labels.
#[derive(Debug)]
struct Asked {
    place: String,
    metric: String,
    /// Name, operator, value.
    labels: Vec<(String, String, String)>,
}

/// The values of each label of each metric.
type Shown = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Reads `{name="value", …}`, as queries and `/metrics` write it.
fn labels(text: &str) -> Vec<(String, String, String)> {
    let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
        return Vec::new();
    };
    let mut labels = Vec::new();
    let mut rest = inner.0.trim();
    while let Some(at) = rest.find(['=', '!']) {
        let name = rest[..at].trim().to_owned();
        let (operator, after) = rest[at..].split_once('"').unwrap();
        let (value, after) = after.split_once('"').unwrap();
        labels.push((name, operator.trim().to_owned(), value.to_owned()));
        rest = after.trim_start_matches([',', ' ']);
    }
    labels
}

fn shown(text: &str) -> Shown {
    let mut shown = Shown::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let end = line.find(['{', ' ']).unwrap();
        let of = shown.entry(line[..end].to_owned()).or_default();
        // A template such as /orders/{id} has braces of its own.
        let inner = line[end..].rsplit_once("} ").map_or("", |(labels, _)| labels);
        for (name, _, value) in labels(&format!("{}}}", inner.replace('}', ""))) {
            of.entry(name).or_default().insert(value);
        }
    }
    shown
}

/// Every metric of ours in `text`.
fn metrics(place: &str, text: &str) -> Vec<Asked> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut asked = Vec::new();
    for (at, _) in text.match_indices("parlour_") {
        if text[..at].ends_with(is_name) {
            continue;
        }
        let rest = &text[at..];
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        asked.push(Asked {
            place: place.to_owned(),
            metric: rest[..end].to_owned(),
            labels: labels(&rest[end..]),
        });
    }
    asked
}

/// The labels of every `by (…)` and `{{…}}`.
fn grouped(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |list: &str| names.extend(list.split(',').map(|name| name.trim().to_owned()));
    for (_, after) in text
        .match_indices("by (")
        .map(|(at, found)| text[at..].split_at(found.len()))
    {
        add(after.split(')').next().unwrap());
    }
    names.remove("le");
    names
}

/// Every file below `folder`, with escaped quotes resolved.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.push((
                name,
                std::fs::read_to_string(&path).unwrap().replace("\\\"", "\""),
            ));
        }
    }
}

fn problems(shown: &Shown, files: &[(String, String)]) -> Vec<String> {
    let mut problems = Vec::new();
    let known: BTreeSet<_> = shown.values().flat_map(BTreeMap::keys).cloned().collect();
    for (place, text) in files {
        for Asked {
            place,
            metric,
            labels,
        } in metrics(place, text)
        {
            let Some(of) = shown.get(&metric) else {
                problems.push(format!("{place}: there is no metric {metric}"));
                continue;
            };
            for (name, operator, value) in labels {
                let Some(values) = of.get(&name) else {
                    problems.push(format!("{place}: {metric} has no label {name}"));
                    continue;
                };
                let rare = RARE.contains(&(name.as_str(), value.as_str()));
                if operator == "=" && !value.starts_with('$') && !rare && !values.contains(&value) {
                    problems.push(format!("{place}: {metric} has no {name}={value}, but {values:?}"));
                }
            }
        }
        for name in grouped(text) {
            if !known.contains(&name) && !ADDED.contains(&name.as_str()) {
                problems.push(format!("{place}: no metric has the label {name}"));
            }
        }
    }
    problems
}

#[test]
fn a_wrong_name_is_found() {
    let shown =
        shown("# TYPE parlour_a counter\nparlour_a{service=\"x\",route=\"/o/{id}/p\"} 1\nparlour_b 2\n");
    let asked = |query: &str| problems(&shown, &[("q".to_owned(), query.to_owned())]).len();
    assert_eq!(
        asked(r#"sum by (service, instance) (rate(parlour_a{service="x"}[5m])) + parlour_b"#),
        0
    );
    assert_eq!(asked(r#"parlour_a{service=~"x|y", service="$service"}"#), 0);
    assert_eq!(asked("parlour_c"), 1);
    assert_eq!(asked(r#"parlour_a{sevice="x"}"#), 1);
    assert_eq!(asked(r#"parlour_a{service="y"}"#), 1);
    assert_eq!(asked("sum by (rout) (parlour_a)"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_and_label_of_the_dashboards_and_alerts_is_there() {
    let mut asked = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/telemetry"),
        &mut asked,
    );
    assert!(
        asked
            .iter()
            .map(|(_, text)| metrics("", text).len())
            .sum::<usize>()
            > 40
    );

    let apart = Apart::start(&[]).await;
    let admin = apart.person("admin").await;
    let client = apart.person("client").await;
    let service = apart.offer(&admin).await;
    let mut socket = apart.socket(&client).await;
    order(&apart.by(&client), &service, None).await;
    socket.hears(r#"42["notification""#).await;
    apart.by(&client).get("/api/chat/sessions").await.expect(200);
    // A sign-in that ends takes its connections along.
    apart
        .by(&client)
        .post("/api/auth/logout")
        .json(json!({}))
        .await
        .expect(200);
    // What is measured every few seconds comes by and by.
    eventually(async || {
        let problems = problems(&shown(&apart.metrics().await), &asked);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    })
    .await;
    apart.stop().await;
}
