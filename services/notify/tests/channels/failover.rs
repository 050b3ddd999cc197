//! Several providers of one channel: who is asked when one of them fails.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::Duration as Span;
use parlour_notify::channels::Class;
use parlour_notify::channels::settings::{EmailProvider, SmtpSettings};
use tokio::task::JoinSet;

use crate::support::script::{self, Then, polite};
use crate::support::{OwnSink, mail, mailing, smtp};

fn at(port: u16) -> EmailProvider {
    EmailProvider::Smtp(smtp(port))
}

#[tokio::test]
async fn the_next_is_asked_for_what_may_work_and_not_for_what_never_will() {
    let first = script::server(|line| match line {
        "RCPT TO:<nobody@example.org>" => Then::Say("550 5.1.1 no such user"),
        "RCPT TO:<full@example.org>" => Then::Say("452 4.2.2 full"),
        line => polite(line),
    })
    .await;
    let second = script::server(polite).await;
    let (providers, _hands) = mailing([("first", at(first.port)), ("second", at(second.port))], None);
    let by = async |to| providers.carry(&mail(to)).await.map(|sent| sent.provider);
    assert_eq!(by("ana@example.org").await.unwrap(), "first");
    assert_eq!(by("full@example.org").await.unwrap(), "second");
    let refused = by("nobody@example.org").await.unwrap_err();
    assert_eq!(
        (refused.class, refused.provider.as_str()),
        (Class::BadAddress, "first")
    );
    assert_eq!(second.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_dead_provider_is_left_out_and_taken_back_after_one_probe() {
    let dead = Arc::new(AtomicUsize::new(1));
    let switch = dead.clone();
    let first = script::server(move |line| {
        if switch.load(Ordering::SeqCst) == 1 {
            Then::Say("421 4.3.0 out of order")
        } else {
            polite(line)
        }
    })
    .await;
    let second = script::server(polite).await;
    let (providers, hands) = mailing([("first", at(first.port)), ("second", at(second.port))], None);
    let by = async || providers.carry(&mail("ana@example.org")).await.unwrap().provider;
    for _ in 0..10 {
        assert_eq!(by().await, "second");
    }
    // Three failures opened the circuit; nobody asked it after that.
    assert_eq!(first.connections.load(Ordering::SeqCst), 3);
    hands.advance(Span::seconds(30));
    assert_eq!(by().await, "second");
    assert_eq!(first.connections.load(Ordering::SeqCst), 4);
    dead.store(0, Ordering::SeqCst);
    hands.advance(Span::seconds(59));
    assert_eq!(by().await, "second");
    hands.advance(Span::seconds(1));
    assert_eq!(by().await, "first");
    assert_eq!(by().await, "first");
}

#[tokio::test]
async fn all_left_out_says_when_to_come_again() {
    let only = script::server(|_| Then::HangUp).await;
    let (providers, hands) = mailing([("only", at(only.port))], None);
    for _ in 0..3 {
        let refused = providers.carry(&mail("ana@example.org")).await.unwrap_err();
        assert_eq!((refused.class, refused.retry_after), (Class::Transient, None));
    }
    hands.advance(Span::seconds(10));
    let refused = providers.carry(&mail("ana@example.org")).await.unwrap_err();
    assert_eq!(refused.class, Class::Transient);
    assert_eq!(refused.retry_after, Some(Duration::from_secs(20)));
    assert_eq!(only.connections.load(Ordering::SeqCst), 3);
}

/// Those who wait for a connection to a provider that hangs do not each find out that it does.
#[tokio::test]
async fn whoever_waited_for_a_dead_provider_goes_on_to_the_next() {
    let first = script::server(|_| Then::Hang).await;
    let own = OwnSink::start().await;
    let hanging = SmtpSettings {
        connections: 1,
        timeout_seconds: 1,
        ..smtp(first.port)
    };
    let (providers, _hands) = mailing(
        [
            ("first", EmailProvider::Smtp(hanging)),
            ("outbox", EmailProvider::Sink {}),
        ],
        Some(&own.sink),
    );
    let providers = Arc::new(providers);
    let mut batch = JoinSet::new();
    for number in 0..100 {
        let providers = providers.clone();
        batch.spawn(async move {
            providers
                .carry(&mail(&format!("person-{number}@example.org")))
                .await
        });
    }
    for done in batch.join_all().await {
        assert_eq!(done.unwrap().provider, "outbox");
    }
    assert_eq!(first.connections.load(Ordering::SeqCst), 3);
    assert_eq!(own.lines("mail.jsonl").len(), 100);
}

#[tokio::test]
async fn nobody_waits_for_a_probe_that_hangs() {
    let greeted = AtomicUsize::new(0);
    let first = script::server(move |line| match line {
        "" if greeted.fetch_add(1, Ordering::SeqCst) < 3 => Then::HangUp,
        _ => Then::Hang,
    })
    .await;
    let second = script::server(polite).await;
    let hanging = SmtpSettings {
        connections: 1,
        timeout_seconds: 60,
        ..smtp(first.port)
    };
    let (providers, hands) = mailing(
        [
            ("first", EmailProvider::Smtp(hanging)),
            ("second", at(second.port)),
        ],
        None,
    );
    for _ in 0..3 {
        providers.carry(&mail("ana@example.org")).await.unwrap();
    }
    hands.advance(Span::seconds(30));
    let (one, two) = (mail("ana@example.org"), mail("bob@example.org"));
    let mut probe = Box::pin(providers.carry(&one));
    tokio::select! {
        done = &mut probe => panic!("{done:?}"),
        () = first.connected(4) => {}
    }
    tokio::select! {
        done = &mut probe => panic!("{done:?}"),
        done = providers.carry(&two) => assert_eq!(done.unwrap().provider, "second"),
    }
}

/// A provider that takes 400 mails and dies for good, some of them in its hands: whatever
/// it acknowledged is not sent again, and everything else goes by the other.
#[tokio::test]
async fn a_provider_that_dies_in_a_batch_of_a_thousand_loses_and_doubles_nothing() {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let first = script::server(move |line| {
        if counter.load(Ordering::SeqCst) >= 400 {
            return Then::HangUp;
        }
        if line == "." && counter.fetch_add(1, Ordering::SeqCst) >= 400 {
            return Then::HangUp;
        }
        polite(line)
    })
    .await;
    let own = OwnSink::start().await;
    let (providers, _hands) = mailing(
        [("first", at(first.port)), ("outbox", EmailProvider::Sink {})],
        Some(&own.sink),
    );
    let providers = Arc::new(providers);
    let mut batch = JoinSet::new();
    for number in 0..1000 {
        let providers = providers.clone();
        batch.spawn(async move {
            let to = format!("person-{number}@example.org");
            (to.clone(), providers.carry(&mail(&to)).await)
        });
    }
    let mut by_first = 0;
    let mut acknowledged: HashMap<String, String> = HashMap::new();
    for (to, done) in batch.join_all().await {
        let provider = done.unwrap().provider;
        by_first += usize::from(provider == "first");
        acknowledged.insert(to, provider);
    }
    assert_eq!((acknowledged.len(), by_first), (1000, 400));

    let mut landed: HashMap<String, usize> = HashMap::new();
    for line in own.lines("mail.jsonl") {
        *landed.entry(line["to"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(landed.len(), 600);
    assert!(landed.values().all(|times| *times == 1));
    assert!(landed.keys().all(|to| acknowledged[to] == "outbox"));
}
