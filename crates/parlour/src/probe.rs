//! `parlour probe`: for health checks in containers, which have no other program.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::print;

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than any answer has.
const LONGEST: u64 = 64 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// What to ask.
    #[arg(value_enum, default_value_t = Question::Ready)]
    question: Question,
    /// The process's listener for probes and metrics.
    #[arg(long, default_value = "127.0.0.1:5001")]
    address: SocketAddr,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Question {
    /// Does it answer at all?
    Live,
    /// Has the start come to its end?
    Started,
    /// Should requests be sent to it?
    Ready,
}

impl Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Started => "started",
            Self::Ready => "ready",
        })
    }
}

/// Prints the answer; fails when it is no.
pub(crate) async fn execute(probe: &Probe) -> anyhow::Result<()> {
    let Probe { question, address } = probe;
    let asking = tokio::time::timeout(PATIENCE, ask(*address, *question));
    let answer = match asking.await {
        Ok(answer) => answer.with_context(|| address.to_string())?,
        Err(_) => bail!("{address}: no answer within {PATIENCE:?}"),
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.split(' ').nth(1) == Some("200") {
        print::progress(body.trim_end())
    } else {
        bail!("{address}: not {question}: {}", body.trim_end())
    }
}

async fn ask(address: SocketAddr, question: Question) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /{question} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).await?;
    Ok(answer)
}
