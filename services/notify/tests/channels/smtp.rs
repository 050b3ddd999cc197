//! SMTP: what is said on the wire, what replies mean, and what becomes of connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parlour_notify::channels::Class;
use parlour_notify::channels::settings::{EmailProvider, SmtpSettings};
use parlour_notify::domain::Priority;

use crate::support::script::{self, Then, polite};
use crate::support::{mail, mailing, smtp};

/// What a server heard so far.
fn heard(server: &mut script::Scripted) -> Vec<String> {
    let mut lines = Vec::new();
    while let Ok(line) = server.heard.try_recv() {
        lines.push(line);
    }
    lines
}

fn has(lines: &[String], line: &str) -> bool {
    lines.iter().any(|heard| heard == line)
}

#[tokio::test]
async fn a_mail_is_said_in_order_and_with_its_headers() {
    let mut server = script::server(polite).await;
    let settings = SmtpSettings {
        reply_to: Some("support@parlour.example".to_owned()),
        ..smtp(server.port)
    };
    let (providers, _hands) = mailing([("main", EmailProvider::Smtp(settings))], None);
    let mut message = mail("ana@example.org");
    message.priority = Priority::Emergency;
    message.content.subject = "Your\r\nBcc: eve@example.org".to_owned();
    message.content.html = Some("<p>hi</p>".to_owned());
    message.content.unsubscribe = Some("https://parlour.example/unsubscribe?t=1".to_owned());
    let sent = providers.carry(&message).await.unwrap();
    assert_eq!(sent.provider_id.as_deref(), Some("4F2D9180A"));

    let lines = heard(&mut server);
    let data = lines.iter().position(|line| line == "DATA").unwrap();
    assert_eq!(
        &lines[..data],
        [
            "EHLO parlour.example",
            "MAIL FROM:<no-reply@parlour.example>",
            "RCPT TO:<ana@example.org>"
        ]
    );
    for header in [
        "From: Parlour <no-reply@parlour.example>".to_owned(),
        "To: ana@example.org".to_owned(),
        "Reply-To: support@parlour.example".to_owned(),
        format!("Message-ID: <{}@parlour.example>", message.delivery_id),
        "Auto-Submitted: auto-generated".to_owned(),
        "Importance: high".to_owned(),
        "List-Unsubscribe: <https://parlour.example/unsubscribe?t=1>".to_owned(),
        "MIME-Version: 1.0".to_owned(),
    ] {
        assert!(has(&lines, &header), "{header} is not in {lines:#?}");
    }
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("Content-Type: multipart/alternative;"))
    );
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("Bcc:") || line.starts_with("X-Parlour"))
    );
    // Nothing answers the POST that this header promises.
    assert!(!lines.iter().any(|line| line.starts_with("List-Unsubscribe-Post")));
}

#[tokio::test]
async fn replies_are_told_by_class_and_without_the_address() {
    for (at, reply, class) in [
        (
            "RCPT",
            "550 5.1.1 <ana@example.org>: no such user",
            Class::BadAddress,
        ),
        ("RCPT", "450 4.7.1 greylisted, try again", Class::Throttled),
        ("RCPT", "452-4.2.2 mailbox\r\n452 4.2.2 full", Class::Transient),
        ("RCPT", "550 5.7.1 policy", Class::Permanent),
        ("MAIL", "421 4.3.2 closing", Class::Throttled),
        ("DATA", "451 4.3.0 disk", Class::Transient),
        (".", "554 5.6.0 spam", Class::Permanent),
        ("EHLO", "554 5.7.1 not you", Class::Transient),
    ] {
        let server = script::server(move |line| {
            if !line.is_empty() && line.starts_with(at) {
                Then::Say(reply)
            } else {
                polite(line)
            }
        })
        .await;
        let (providers, _hands) = mailing([("main", EmailProvider::Smtp(smtp(server.port)))], None);
        let refused = providers.carry(&mail("ana@example.org")).await.unwrap_err();
        assert_eq!(refused.class, class, "{at} {reply}: {refused}");
        assert_eq!(refused.provider, "main");
        assert!(refused.words.starts_with(reply.get(..3).unwrap()), "{refused}");
        assert!(!refused.to_string().contains("ana@example.org"), "{refused}");
    }
}

#[tokio::test]
async fn nobody_there_is_transient_and_no_address_is_a_bad_one() {
    let (providers, _hands) = mailing([("main", EmailProvider::Smtp(smtp(1)))], None);
    assert_eq!(
        providers.carry(&mail("ana@example.org")).await.unwrap_err().class,
        Class::Transient
    );
    let refused = providers.carry(&mail("no address")).await.unwrap_err();
    assert_eq!(
        (refused.class, refused.words.as_str()),
        (Class::BadAddress, "not an e-mail address")
    );
    let (providers, _hands) = mailing([], None);
    let refused = providers.carry(&mail("ana@example.org")).await.unwrap_err();
    assert_eq!((refused.class, refused.provider.as_str()), (Class::Permanent, ""));
}

#[tokio::test]
async fn a_connection_carries_many_mails_refused_ones_too() {
    let mut server = script::server(|line| match line {
        "RCPT TO:<nobody@example.org>" => Then::Say("550 5.1.1 no such user"),
        line => polite(line),
    })
    .await;
    let (providers, _hands) = mailing([("main", EmailProvider::Smtp(smtp(server.port)))], None);
    providers.carry(&mail("ana@example.org")).await.unwrap();
    providers.carry(&mail("nobody@example.org")).await.unwrap_err();
    providers.carry(&mail("bob@example.org")).await.unwrap();
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert!(has(&heard(&mut server), "RSET"));
}

#[tokio::test]
async fn a_server_that_hung_up_on_an_idle_connection_gets_the_mail_on_a_new_one() {
    let ends = AtomicUsize::new(0);
    let mut server = script::server(move |line| {
        // The first connection ends at its second mail.
        if line.starts_with("MAIL") && ends.fetch_add(1, Ordering::SeqCst) == 1 {
            return Then::HangUp;
        }
        polite(line)
    })
    .await;
    let (providers, _hands) = mailing([("main", EmailProvider::Smtp(smtp(server.port)))], None);
    providers.carry(&mail("ana@example.org")).await.unwrap();
    providers.carry(&mail("bob@example.org")).await.unwrap();
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    let lines = heard(&mut server);
    assert_eq!(
        lines
            .iter()
            .filter(|line| *line == "RCPT TO:<bob@example.org>")
            .count(),
        1
    );
}

/// A connection whose mail was cut off half way must not carry another: what is said on it
/// next would be part of the first mail.
#[tokio::test]
async fn a_mail_that_is_cut_off_takes_its_connection_with_it() {
    let mut server = script::server(|line| if line == "." { Then::Hang } else { polite(line) }).await;
    let (providers, _hands) = mailing([("main", EmailProvider::Smtp(smtp(server.port)))], None);
    let message = mail("ana@example.org");
    let mut carrying = Box::pin(providers.carry(&message));
    loop {
        tokio::select! {
            done = &mut carrying => panic!("{done:?}"),
            line = server.heard.recv() => if line.unwrap() == "." { break },
        }
    }
    drop(carrying);
    let again = mail("bob@example.org");
    let carrying = providers.carry(&again);
    let second = async {
        loop {
            let line = server.heard.recv().await.unwrap();
            assert_ne!(line, "NOOP");
            if line == "RCPT TO:<bob@example.org>" {
                break;
            }
        }
    };
    tokio::select! {
        done = carrying => panic!("{done:?}"),
        () = second => {}
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let server = script::server(|_| Then::Hang).await;
    let settings = SmtpSettings {
        timeout_seconds: 1,
        ..smtp(server.port)
    };
    let (providers, _hands) = mailing([("main", EmailProvider::Smtp(settings))], None);
    let message = mail("ana@example.org");
    let carried = tokio::time::timeout(Duration::from_secs(30), providers.carry(&message)).await;
    assert_eq!(carried.unwrap().unwrap_err().class, Class::Transient);
}

#[test]
fn a_message_can_be_printed_without_telling() {
    let printed = format!("{:?}", mail("ana@example.org"));
    assert!(printed.contains("order_delivered") && printed.contains("to: Email"));
    assert!(
        !printed.contains("ana@") && !printed.contains("reading"),
        "{printed}"
    );
}
