//! The development sink's SMTP, spoken by hand and by curl.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::OwnSink;

/// Says `lines` and answers the code of each reply, the greeting's first.
async fn conversation(own: &OwnSink, lines: &[&str]) -> Vec<String> {
    let mut stream = BufReader::new(TcpStream::connect(own.sink.smtp_address()).await.unwrap());
    let mut replies = Vec::new();
    for said in std::iter::once(&"").chain(lines) {
        if !said.is_empty() {
            stream.write_all(said.as_bytes()).await.unwrap();
        }
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap() == 0 {
                break;
            }
            let more = line.as_bytes()[3] == b'-';
            reply = line.get(..3).unwrap().to_owned();
            if !more {
                break;
            }
        }
        replies.push(reply);
    }
    replies
}

#[tokio::test]
async fn the_protocol_is_kept() {
    let own = OwnSink::start().await;
    let replies = conversation(
        &own,
        &[
            "MAIL FROM:<a@example.org>\r\n",
            "EHLO me\r\n",
            "RCPT TO:<b@example.org>\r\n",
            "MAIL FROM:<a@example.org> SIZE=100001\r\n",
            "MAIL FROM:<a@example.org> SIZE=10 BODY=8BITMIME\r\n",
            "MAIL FROM:<a@example.org>\r\n",
            "DATA\r\n",
            "RCPT TO:<b@example.org>\r\n",
            "RCPT TO:<c@example.org>\r\n",
            "DATA\r\n",
            "Subject: hi\r\n\r\n..dotted\r\n.\r\n",
            "DATA\r\n",
            "NONSENSE\r\n",
            "STARTTLS\r\n",
            "NOOP\r\n",
            "RSET\r\n",
            "QUIT\r\n",
        ],
    )
    .await;
    assert_eq!(
        replies,
        [
            "220", "503", "250", "503", "552", "250", "503", "503", "250", "250", "354", "250", "503", "500",
            "500", "250", "250", "221"
        ]
    );
    let lines = own.lines("mail.jsonl");
    let to: Vec<&Value> = lines.iter().map(|line| &line["to"]).collect();
    assert_eq!(to, ["b@example.org", "c@example.org"]);
    assert_eq!(lines[0]["text"].as_str().unwrap().trim_end(), ".dotted");
    assert_eq!(lines[0]["data"], Value::Null);
}

#[tokio::test]
async fn a_mail_that_is_too_large_is_refused_and_the_next_is_not() {
    let own = OwnSink::start().await;
    let large = format!("Subject: large\r\n\r\n{}\r\n.\r\n", "x".repeat(100_000));
    let envelope = [
        "EHLO me\r\n",
        "MAIL FROM:<>\r\n",
        "RCPT TO:<b@example.org>\r\n",
        "DATA\r\n",
    ];
    let second = [
        "MAIL FROM:<>\r\n",
        "RCPT TO:<b@example.org>\r\n",
        "DATA\r\n",
        "Subject: small\r\n\r\n.\r\n",
    ];
    let said: Vec<&str> = envelope
        .into_iter()
        .chain([large.as_str()])
        .chain(second)
        .collect();
    let replies = conversation(&own, &said).await;
    assert_eq!(
        replies,
        [
            "220", "250", "250", "250", "354", "552", "250", "250", "354", "250"
        ]
    );
    let lines = own.lines("mail.jsonl");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["subject"], "small");
}

#[tokio::test]
async fn curl_can_send_to_it() {
    let own = OwnSink::start().await;
    let url = format!("smtp://{}", own.sink.smtp_address());
    let status = tokio::task::spawn_blocking(move || {
        let mut curl = Command::new("curl")
            .args([
                "-s",
                &url,
                "--mail-from",
                "a@example.org",
                "--mail-rcpt",
                "b@example.org",
                "-T",
                "-",
            ])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = curl.stdin.take().unwrap();
        stdin.write_all(b"Subject: by curl\r\n\r\n.hi\r\n").unwrap();
        drop(stdin);
        curl.wait().unwrap()
    })
    .await
    .unwrap();
    assert!(status.success());
    let lines = own.lines("mail.jsonl");
    assert_eq!(lines[0]["subject"], "by curl");
    assert_eq!(lines[0]["text"].as_str().unwrap().trim_end(), ".hi");
}
