//! clamd (`ClamAV`'s daemon), asked over its socket with INSTREAM.
//!
//! clamd answers OK for what is above its own limits unless its `AlertExceedsMax` is on, and closes
//! a stream that is longer than its `StreamMaxLength`. So a limit of ours stays below its, and every
//! word of limits in an answer is [`Answer::TooLarge`], never clean.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout_at;

/// As much is sent at once.
const CHUNK: usize = 64 << 10;
/// No answer of clamd's is longer.
const MOST_ANSWER: u64 = 4096;

/// Where clamd listens: `tcp://host:3310` or `unix:/run/clamav/clamd.ctl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Host and port.
    Tcp(String),
    /// A socket's path.
    Unix(PathBuf),
}

/// An address that is neither `tcp://host:port` nor `unix:/path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be tcp://host:port or unix:/path")]
pub struct BadAddress;

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(BadAddress)
            };
        }
        let host = text.strip_prefix("tcp://").ok_or(BadAddress)?;
        let (name, port) = host.rsplit_once(':').ok_or(BadAddress)?;
        if name.is_empty() || port.parse::<u16>().is_err() {
            return Err(BadAddress);
        }
        Ok(Self::Tcp(host.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host) => write!(f, "tcp://{host}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// What clamd says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All of it was scanned and nothing found.
    Clean,
    /// A signature was found.
    Infected {
        /// Its name.
        signature: String,
    },
    /// It is above a limit of ours or of clamd's: not scanned, or not all of it.
    TooLarge,
    /// clamd does not answer, or not in time, or something else than it should.
    Unreachable {
        /// Why, for the log.
        why: String,
    },
}

/// A clamd.
#[derive(Clone, Debug)]
pub struct Clamd {
    address: Address,
    patience: Duration,
    most: u64,
}

impl Clamd {
    /// The clamd at that address. A file gets `patience` from the first byte to the answer, and
    /// one of more than `most` bytes is not sent.
    pub const fn new(address: Address, patience: Duration, most: u64) -> Self {
        Self {
            address,
            patience,
            most,
        }
    }

    /// Where it is.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Whether it is there and answers.
    pub async fn ping(&self) -> bool {
        let asked = async {
            let mut stream = self.connect().await?;
            stream.write_all(b"zPING\0").await?;
            answer(&mut stream).await
        };
        matches!(tokio::time::timeout(self.patience, asked).await, Ok(Ok(word)) if word == "PONG")
    }

    /// Has it scan what the reader gives. An error is the reader's.
    pub async fn scan<R: AsyncRead + Unpin>(&self, file: R) -> io::Result<Answer> {
        let end = tokio::time::Instant::now() + self.patience;
        match timeout_at(end, self.ask(file)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Broken::File(error))) => Err(error),
            Ok(Err(Broken::Clamd(error))) => Ok(Answer::Unreachable {
                why: error.to_string(),
            }),
            Err(_) => Ok(Answer::Unreachable {
                why: "no answer in time".to_owned(),
            }),
        }
    }

    async fn ask<R: AsyncRead + Unpin>(&self, mut file: R) -> Result<Answer, Broken> {
        let mut stream = self.connect().await?;
        stream.write_all(b"zINSTREAM\0").await?;
        let mut chunk = vec![0; CHUNK];
        let mut sent = 0_u64;
        loop {
            let read = file.read(&mut chunk).await.map_err(Broken::File)?;
            let Some(part) = chunk.get(..read).filter(|part| !part.is_empty()) else {
                break;
            };
            sent = sent.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if sent > self.most {
                return Ok(Answer::TooLarge);
            }
            let length = u32::try_from(read).unwrap_or_default().to_be_bytes();
            let written: io::Result<()> = async {
                stream.write_all(&length).await?;
                stream.write_all(part).await
            }
            .await;
            if let Err(error) = written {
                // It says why before it closes.
                return match answer(&mut stream).await {
                    Ok(words) if !words.is_empty() => Ok(read_answer(&words)),
                    _ => Err(Broken::Clamd(error)),
                };
            }
        }
        stream.write_all(&0_u32.to_be_bytes()).await?;
        Ok(read_answer(&answer(&mut stream).await?))
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.address {
            Address::Tcp(host) => Box::new(TcpStream::connect(host).await?),
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        })
    }
}

/// Which end of a scan broke.
enum Broken {
    File(io::Error),
    Clamd(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Clamd(error)
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn answer(stream: &mut Box<dyn Stream>) -> io::Result<String> {
    let mut words = Vec::new();
    stream.take(MOST_ANSWER).read_to_end(&mut words).await?;
    while words.last().is_some_and(|byte| matches!(byte, 0 | b'\n' | b'\r')) {
        words.pop();
    }
    String::from_utf8(words).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

/// `stream: OK`, `stream: NAME FOUND`, `… ERROR`.
fn read_answer(words: &str) -> Answer {
    if words == "stream: OK" {
        return Answer::Clean;
    }
    if words.contains("size limit exceeded") {
        return Answer::TooLarge;
    }
    let found = words
        .strip_prefix("stream: ")
        .and_then(|rest| rest.strip_suffix(" FOUND"));
    match found {
        Some(name) if name.starts_with("Heuristics.Limits.Exceeded") => Answer::TooLarge,
        Some(name) => Answer::Infected {
            signature: name.to_owned(),
        },
        None => Answer::Unreachable {
            why: format!("it answered {words:?}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_port_or_a_path() {
        assert_eq!(
            "tcp://clamd:3310".parse(),
            Ok(Address::Tcp("clamd:3310".to_owned()))
        );
        assert_eq!(
            "unix:/run/clamd.ctl".parse(),
            Ok(Address::Unix("/run/clamd.ctl".into()))
        );
        assert_eq!(
            "unix:///run/clamd.ctl".parse::<Address>().unwrap().to_string(),
            "unix:/run/clamd.ctl"
        );
        for bad in [
            "",
            "clamd:3310",
            "tcp://clamd",
            "tcp://:3310",
            "tcp://clamd:port",
            "unix:clamd.ctl",
        ] {
            assert_eq!(bad.parse::<Address>(), Err(BadAddress), "{bad}");
        }
    }

    #[test]
    fn limits_are_never_clean_and_nonsense_is_no_answer() {
        assert_eq!(read_answer("stream: OK"), Answer::Clean);
        assert_eq!(
            read_answer("stream: Eicar-Test FOUND"),
            Answer::Infected {
                signature: "Eicar-Test".to_owned()
            }
        );
        assert_eq!(
            read_answer("INSTREAM size limit exceeded. ERROR"),
            Answer::TooLarge
        );
        assert_eq!(
            read_answer("stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND"),
            Answer::TooLarge
        );
        for odd in [
            "",
            "OK",
            "stream: OK and more",
            "stream: lstat() failed. ERROR",
            "COMMAND READ TIMED OUT",
        ] {
            assert!(matches!(read_answer(odd), Answer::Unreachable { .. }), "{odd}");
        }
    }
}
