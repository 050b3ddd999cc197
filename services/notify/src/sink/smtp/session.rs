//! One conversation.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};

use super::command::Command;
use super::reader::{self, Body, Line};
use super::{PATIENCE, mail};
use crate::sink::{Medium, Outbox};

/// Recipients of one mail.
const RECIPIENTS: usize = 100;

/// Wrong commands after which a client is hung up on.
const MISTAKES: usize = 20;

/// A client and what it has said so far.
pub(super) struct Session<'o, R, W> {
    from: BufReader<R>,
    to: W,
    outbox: &'o Outbox,
    limit: usize,
    mistakes: usize,
    greeted: bool,
    /// `None` until `MAIL FROM`.
    recipients: Option<Vec<String>>,
}

impl<'o, R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Session<'o, R, W> {
    pub(super) fn new(from: R, to: W, outbox: &'o Outbox, limit: usize) -> Self {
        Self {
            from: BufReader::new(from),
            to,
            outbox,
            limit,
            mistakes: 0,
            greeted: false,
            recipients: None,
        }
    }

    /// Talks until one of the two hangs up.
    pub(super) async fn run(mut self) -> io::Result<()> {
        self.say("220 localhost ESMTP development sink").await?;
        while self.mistakes < MISTAKES {
            let command = match reader::line(&mut self.from).await? {
                Line::End => return Ok(()),
                Line::Bad => Command::Unknown,
                Line::Text(line) => Command::read(&line),
            };
            if command == Command::Quit {
                return self.say("221 2.0.0 bye").await;
            }
            self.answer(command).await?;
        }
        self.say("421 4.7.0 too many mistakes").await
    }

    async fn answer(&mut self, command: Command) -> io::Result<()> {
        match command {
            Command::Ehlo => {
                self.begin();
                let offers = format!(
                    "250-localhost\r\n250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES",
                    self.limit
                );
                self.say(&offers).await
            }
            Command::Helo => {
                self.begin();
                self.say("250 localhost").await
            }
            Command::Mail { size } => self.mail(size).await,
            Command::Rcpt { to } => self.rcpt(to).await,
            Command::Data => self.data().await,
            Command::Rset => {
                self.recipients = None;
                self.say("250 2.0.0 forgotten").await
            }
            Command::Noop => self.say("250 2.0.0 ok").await,
            Command::Help => self.say("214 2.0.0 RFC 5321").await,
            Command::Vrfy => self.say("252 2.5.1 everybody is taken for real here").await,
            Command::Quit => Ok(()),
            Command::Malformed => self.mistake("501 5.5.4 not used so").await,
            Command::Unknown => self.mistake("500 5.5.2 not understood").await,
        }
    }

    fn begin(&mut self) {
        self.greeted = true;
        self.recipients = None;
    }

    async fn mail(&mut self, size: Option<usize>) -> io::Result<()> {
        if !self.greeted {
            return self.mistake("503 5.5.1 EHLO first").await;
        }
        if self.recipients.is_some() {
            return self.mistake("503 5.5.1 one mail after the other").await;
        }
        if size.is_some_and(|size| size > self.limit) {
            return self.say("552 5.3.4 too large").await;
        }
        self.recipients = Some(Vec::new());
        self.say("250 2.1.0 ok").await
    }

    async fn rcpt(&mut self, to: String) -> io::Result<()> {
        let Some(recipients) = &mut self.recipients else {
            return self.mistake("503 5.5.1 MAIL first").await;
        };
        if recipients.len() == RECIPIENTS {
            return self.say("452 4.5.3 too many recipients").await;
        }
        recipients.push(to);
        self.say("250 2.1.5 ok").await
    }

    async fn data(&mut self) -> io::Result<()> {
        let Some(recipients) = self.recipients.take_if(|recipients| !recipients.is_empty()) else {
            return self.mistake("503 5.5.1 RCPT first").await;
        };
        self.say("354 go on, and end with a dot alone").await?;
        match reader::body(&mut self.from, self.limit).await? {
            Body::End => Ok(()),
            Body::TooLarge => self.say("552 5.3.4 too large").await,
            Body::Whole(text) => {
                for to in &recipients {
                    let entry = mail::entry(to, &text);
                    if self.outbox.add(Medium::Mail, entry).await.is_err() {
                        return self.say("451 4.3.0 the outbox cannot be written").await;
                    }
                }
                self.say(&format!("250 2.0.0 ok {}", uuid::Uuid::now_v7().simple()))
                    .await
            }
        }
    }

    async fn mistake(&mut self, reply: &str) -> io::Result<()> {
        self.mistakes += 1;
        self.say(reply).await
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        let saying = async {
            self.to.write_all(format!("{reply}\r\n").as_bytes()).await?;
            self.to.flush().await
        };
        match tokio::time::timeout(PATIENCE, saying).await {
            Ok(said) => said,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}
