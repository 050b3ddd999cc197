//! SMTP with TLS, against a mail server that is not ours.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use parlour_notify::channels::Class;
use parlour_notify::channels::settings::{EmailProvider, Security, SmtpSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::node::Running;
use crate::support::{OwnSink, mail, mailing, smtp};

/// A mail server with a certificate of an authority of its own.
struct MailServer {
    process: Running,
    port: u16,
    authority: PathBuf,
    _folder: TempDir,
}

impl MailServer {
    async fn start(mode: &str, host: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authority.pem");
        std::fs::write(&path, authority.pem()).unwrap();
        let setup = json!({
            "key": key.serialize_pem(), "cert": certificate.pem(), "mode": mode,
            "user": "parlour", "password": "hush",
        });
        let mut process = Running::start("mailserver.mjs", &setup);
        let port = u16::try_from(process.next().await.unwrap()["port"].as_u64().unwrap()).unwrap();
        Self {
            process,
            port,
            authority: path,
            _folder: folder,
        }
    }

    fn settings(&self, security: Security) -> SmtpSettings {
        SmtpSettings {
            security,
            username: "parlour".to_owned(),
            password: "hush".into(),
            ca_path: Some(self.authority.clone()),
            ..smtp(self.port)
        }
    }
}

#[tokio::test]
async fn both_kinds_of_tls_sign_in_and_arrive_whole() {
    for (mode, security) in [("starttls", Security::Starttls), ("tls", Security::Tls)] {
        let mut server = MailServer::start(mode, "127.0.0.1").await;
        let settings = server.settings(security);
        let (providers, _hands) = mailing([("main", EmailProvider::Smtp(settings))], None);
        let mut message = mail("ana@example.org");
        message.content.subject =
            "قراءتك جاهزة ✨ and a rather long subject that has to be folded somewhere".to_owned();
        message.content.text = ".مرحبا 👋\n\nhttps://parlour.example/orders/1?a=b&c=d".to_owned();
        message.content.html = Some("<p dir=\"rtl\">مرحبا</p>".to_owned());
        message.content.unsubscribe = Some("https://parlour.example/u/1".to_owned());
        let sent = providers.carry(&message).await.unwrap();
        assert_eq!(sent.provider_id.as_deref(), Some("abc123"));

        let arrived = server.process.next().await.unwrap();
        assert_eq!(arrived["user"], "parlour");
        assert_eq!(arrived["from"], "no-reply@parlour.example");
        assert_eq!(arrived["to"], json!(["ana@example.org"]));
        assert_eq!(arrived["subject"], message.content.subject);
        assert_eq!(arrived["text"].as_str().unwrap().trim_end(), message.content.text);
        assert_eq!(
            arrived["html"].as_str().unwrap().trim_end(),
            "<p dir=\"rtl\">مرحبا</p>"
        );
        assert_eq!(
            arrived["message_id"],
            format!("<{}@parlour.example>", message.delivery_id)
        );
        assert_eq!(
            arrived["headers"]["list-unsubscribe"],
            "List-Unsubscribe: <https://parlour.example/u/1>"
        );
        assert!(arrived["headers"].get("x-parlour-data").is_none());

        // The connection is kept and used again.
        providers.carry(&mail("bob@example.org")).await.unwrap();
        assert_eq!(
            server.process.next().await.unwrap()["to"],
            json!(["bob@example.org"])
        );
    }
}

#[tokio::test]
async fn a_stranger_or_another_name_is_not_trusted() {
    let server = MailServer::start("starttls", "127.0.0.1").await;
    let elsewhere = MailServer::start("starttls", "mail.example.org").await;
    let strange = SmtpSettings {
        ca_path: Some(elsewhere.authority.clone()),
        ..server.settings(Security::Starttls)
    };
    for settings in [strange, elsewhere.settings(Security::Starttls)] {
        let (providers, _hands) = mailing([("main", EmailProvider::Smtp(settings))], None);
        let refused = providers.carry(&mail("ana@example.org")).await.unwrap_err();
        assert_eq!(refused.class, Class::Transient);
        assert!(refused.words.contains("certificate"), "{refused}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_the_providers_matter_and_not_the_messages() {
    let server = MailServer::start("tls", "127.0.0.1").await;
    let settings = SmtpSettings {
        password: "wrong".into(),
        ..server.settings(Security::Tls)
    };
    let (providers, _hands) = mailing([("main", EmailProvider::Smtp(settings))], None);
    let refused = providers.carry(&mail("ana@example.org")).await.unwrap_err();
    assert_eq!(refused.class, Class::Transient);
    assert!(
        refused.words.starts_with("535") && !refused.words.contains("wrong"),
        "{refused}"
    );
}

/// A mail server that is killed in the middle of a batch. What it acknowledged is with it and
/// goes nowhere else; everybody gets their mail. A mail that it had and did not acknowledge
/// may be there twice: nobody can know.
#[tokio::test]
async fn a_server_that_is_killed_in_a_batch_loses_nothing_that_it_acknowledged() {
    const BATCH: usize = 300;
    let mut server = MailServer::start("tls", "127.0.0.1").await;
    let own = OwnSink::start().await;
    let settings = server.settings(Security::Tls);
    let (providers, _hands) = mailing(
        [
            ("main", EmailProvider::Smtp(settings)),
            ("outbox", EmailProvider::Sink {}),
        ],
        Some(&own.sink),
    );
    let providers = Arc::new(providers);
    let mut batch = JoinSet::new();
    for number in 0..BATCH {
        let providers = providers.clone();
        batch.spawn(async move {
            let to = format!("person-{number}@example.org");
            let provider = providers.carry(&mail(&to)).await.unwrap().provider;
            (to, provider)
        });
    }
    let mut arrived = HashSet::new();
    while let Some(mail) = server.process.next().await {
        arrived.insert(mail["to"][0].as_str().unwrap().to_owned());
        if arrived.len() == 100 {
            server.process.kill();
        }
    }
    let landed: Vec<String> = batch
        .join_all()
        .await
        .into_iter()
        .filter_map(|(to, provider)| {
            if provider == "main" {
                assert!(arrived.contains(&to), "{to} was acknowledged and is not there");
            }
            (provider != "main").then_some(to)
        })
        .collect();
    let lines = own.lines("mail.jsonl");
    let in_sink: HashSet<&str> = lines.iter().map(|line| line["to"].as_str().unwrap()).collect();
    assert_eq!(lines.len(), in_sink.len());
    assert_eq!(in_sink, landed.iter().map(String::as_str).collect());
    assert!(in_sink.len() < BATCH && in_sink.len() >= BATCH - arrived.len());
}

/// Who takes STARTTLS off a server's list gets nothing, least of all the password.
#[tokio::test]
async fn without_tls_nothing_is_said() {
    let mut server = crate::support::script::server(crate::support::script::polite).await;
    let settings = SmtpSettings {
        security: Security::Starttls,
        username: "parlour".to_owned(),
        password: "hush".into(),
        ..smtp(server.port)
    };
    let (providers, _hands) = mailing([("main", EmailProvider::Smtp(settings))], None);
    let refused = providers.carry(&mail("ana@example.org")).await.unwrap_err();
    assert_eq!(refused.class, Class::Transient);
    server.heard.close();
    while let Some(line) = server.heard.recv().await {
        assert!(line.starts_with("EHLO") || line == "QUIT", "{line}");
    }
}
