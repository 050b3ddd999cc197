//! Events for people's eyes.

use chrono::{DateTime, SecondsFormat, Utc};
use parlour_events::admin::{ParkedEvent, Shown};

/// A published event on one line.
pub(super) fn published(event: &Shown) -> String {
    let Shown {
        event_type,
        aggregate,
        version,
        data,
        ..
    } = event;
    // JSON escapes what a terminal would obey; the rest comes from strangers too.
    let head = plain(&format!("{event_type}  {aggregate} v{version}"));
    format!("{}  {head}  {data}", time(event.time))
}

/// What is to know of a parked event, without what it says.
pub(super) fn parked(service: &str, parked: &ParkedEvent) -> String {
    let ParkedEvent {
        state,
        attempts,
        last_error,
        event,
        ..
    } = parked;
    let Shown {
        id,
        event_type,
        source,
        aggregate,
        version,
        ..
    } = event;
    let since = time(parked.first_failed_at);
    let what = match state.as_str() {
        "waiting" => format!("since {since}, behind an earlier event of {aggregate}"),
        "retrying" => {
            let next = time(parked.not_before);
            format!("since {since}, tried {attempts}×, again at {next}")
        }
        _ => format!("since {since}, tried {attempts}×"),
    };
    let head = format!("{service}: {state}  {event_type}  {aggregate} v{version} of {source}");
    let mut lines = vec![
        plain(&head),
        format!("  id     {id}"),
        format!("  {state:<6} {}", plain(&what)),
    ];
    if !last_error.is_empty() {
        lines.push(format!("  error  {}", plain(last_error)));
    }
    lines.join("\n")
}

/// A parked event with all that it says.
pub(super) fn whole(service: &str, event: &ParkedEvent) -> String {
    let mut lines = vec![
        parked(service, event),
        format!("  time   {}", time(event.event.time)),
    ];
    if let Some(trace) = &event.event.traceparent {
        lines.push(format!("  trace  {}", plain(trace)));
    }
    lines.push(format!("{:#}", event.event.data));
    lines.join("\n")
}

/// A time as `--from` takes it.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// On one line, with nothing in it that a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> ParkedEvent {
        let time = DateTime::from_timestamp(1_777_888_999, 0).unwrap();
        ParkedEvent {
            state: "parked".into(),
            attempts: 5,
            not_before: time,
            last_error: "no such\naccount\u{1b}[2J".into(),
            first_failed_at: time,
            event: Shown {
                id: uuid::Uuid::from_u128(7),
                event_type: "moderation.user.blocked".into(),
                source: "moderation".into(),
                aggregate: "account:7".into(),
                version: 3,
                time,
                traceparent: None,
                data: json!({ "account_id": "7\u{1b}" }),
            },
        }
    }

    #[test]
    fn a_parked_event_says_what_happened_and_cannot_move_the_cursor() {
        let expected = "\
identity: parked  moderation.user.blocked  account:7 v3 of moderation
  id     00000000-0000-0000-0000-000000000007
  parked since 2026-05-04T10:03:19.000Z, tried 5×
  error  no such account\u{fffd}[2J
  time   2026-05-04T10:03:19.000Z
{
  \"account_id\": \"7\\u001b\"
}";
        assert_eq!(whole("identity", &event()), expected);
    }

    #[test]
    fn a_published_event_is_one_line() {
        let expected =
            "2026-05-04T10:03:19.000Z  moderation.user.blocked  account:7 v3  {\"account_id\":\"7\\u001b\"}";
        assert_eq!(published(&event().event), expected);
    }
}
