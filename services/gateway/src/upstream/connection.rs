//! Connections to services, kept by each worker for itself.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use bytes::BytesMut;
use parlour_http::ApiError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::WriteHalf;
use tokio::time::timeout;

use super::chunked::Garbage;
use super::head::{Head, read_head};
use crate::config::Timeouts;
use crate::edge::body::{Incoming, Outgoing};

/// Room for a piece of an answer.
pub(crate) const PIECE: usize = 8 * 1024;
/// How many unused connections a worker keeps to one replica.
const MOST_KEPT: usize = 256;
/// A service that closes while we still send may have answered why.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One connection.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    /// What arrived and was not looked at yet.
    pub(crate) buffer: BytesMut,
    /// Whether it has served a request before.
    pub(crate) used: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service cannot have got the whole request: sending it again is safe.
    NotSent(io::Error),
    /// It may have been worked on.
    NoAnswer(io::Error),
    /// It took too long.
    TimedOut,
    /// It was not HTTP.
    Garbage(Garbage),
    /// The client's own body failed.
    Client(ApiError),
}

impl Connection {
    async fn open(address: SocketAddr, most: Duration) -> io::Result<Self> {
        let opening = timeout(most, TcpStream::connect(address));
        let stream = opening
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: BytesMut::new(),
            used: false,
        })
    }

    /// Nothing must have come since the last answer: neither an end nor words that nobody asked for.
    fn is_alive(&self) -> bool {
        let quiet = self.stream.try_read(&mut [0; 1]);
        self.buffer.is_empty() && quiet.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and reads the head of the answer. `true` when the request went out whole.
    pub(crate) async fn ask(
        &mut self,
        head: &mut Vec<u8>,
        body: &mut Outgoing,
        method: &Method,
        times: &Timeouts,
        first_byte: Duration,
    ) -> Result<(Head, bool), Failure> {
        match body {
            Outgoing::Whole(bytes) => {
                head.extend_from_slice(bytes);
                self.stream.write_all(head).await.map_err(Failure::NotSent)?;
                Ok((self.answer_within(method, first_byte).await?, true))
            }
            Outgoing::Streamed { first, length, rest } => {
                let chunked = length.is_none();
                if chunked && !first.is_empty() {
                    head.extend_from_slice(format!("{:x}\r\n", first.len()).as_bytes());
                }
                head.extend_from_slice(first);
                if chunked && !first.is_empty() {
                    head.extend_from_slice(b"\r\n");
                }
                self.stream.write_all(head).await.map_err(Failure::NotSent)?;
                self.pump(rest, chunked, method, times, first_byte).await
            }
        }
    }

    /// Sends the rest of a body while it listens for an answer that comes before its end.
    async fn pump(
        &mut self,
        rest: &mut Incoming,
        chunked: bool,
        method: &Method,
        times: &Timeouts,
        first_byte: Duration,
    ) -> Result<(Head, bool), Failure> {
        let (mut reader, mut writer) = self.stream.split();
        let sent = {
            let mut answer = std::pin::pin!(answer(&mut reader, &mut self.buffer, method));
            let mut sending = std::pin::pin!(send(&mut writer, rest, chunked, times.idle));
            tokio::select! {
                early = &mut answer => return early.map(|head| (head, false)),
                sent = &mut sending => match sent {
                    Ok(()) => {
                        let answer = timeout(first_byte, answer).await;
                        return Ok((answer.map_err(|_| Failure::TimedOut)??, true));
                    }
                    Err(error) => match error {
                        Failure::NoAnswer(_) => {
                            let last = timeout(LAST_WORDS, answer).await;
                            return last.unwrap_or(Err(error)).map(|head| (head, false));
                        }
                        error => error,
                    },
                },
            }
        };
        Err(sent)
    }

    /// Reads the head of the answer to a request that was sent.
    pub(crate) async fn answer_within(&mut self, method: &Method, most: Duration) -> Result<Head, Failure> {
        let (mut reader, _) = self.stream.split();
        let answer = answer(&mut reader, &mut self.buffer, method);
        timeout(most, answer).await.map_err(|_| Failure::TimedOut)?
    }
}

/// Reads heads until one is final.
async fn answer(
    reader: &mut tokio::net::tcp::ReadHalf<'_>,
    buffer: &mut BytesMut,
    method: &Method,
) -> Result<Head, Failure> {
    loop {
        match read_head(buffer, method).map_err(Failure::Garbage)? {
            Some(head) if head.status == StatusCode::SWITCHING_PROTOCOLS => return Ok(head),
            // 100 and 103 are between neighbours.
            Some(head) if head.status.is_informational() => continue,
            Some(head) => return Ok(head),
            None => {}
        }
        buffer.reserve(PIECE);
        match reader.read_buf(buffer).await {
            Ok(0) if buffer.is_empty() => {
                return Err(Failure::NoAnswer(io::ErrorKind::UnexpectedEof.into()));
            }
            Ok(0) => return Err(Failure::Garbage(Garbage)),
            Ok(_) => {}
            Err(error) => return Err(Failure::NoAnswer(error)),
        }
    }
}

async fn send(
    writer: &mut WriteHalf<'_>,
    rest: &mut Incoming,
    chunked: bool,
    idle: Duration,
) -> Result<(), Failure> {
    let mut writing = async |bytes: &[u8]| match timeout(idle, writer.write_all(bytes)).await {
        Ok(written) => written.map_err(Failure::NoAnswer),
        Err(_) => Err(Failure::TimedOut),
    };
    while let Some(piece) = rest.pass_on().await.map_err(Failure::Client)? {
        if !chunked {
            writing(&piece).await?;
        } else if !piece.is_empty() {
            writing(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
            writing(&piece).await?;
            writing(b"\r\n").await?;
        }
    }
    if chunked {
        writing(b"0\r\n\r\n").await
    } else {
        Ok(())
    }
}

/// The connections of one worker that wait for work.
pub(crate) struct Kept {
    idle: RefCell<HashMap<SocketAddr, Vec<(Connection, Instant)>>>,
    times: Timeouts,
}

impl Kept {
    pub(crate) fn new(times: Timeouts) -> Self {
        Self {
            idle: RefCell::default(),
            times,
        }
    }

    /// A connection to `address`: the one that rested last, or a new one.
    pub(crate) async fn connect(&self, address: SocketAddr, fresh: bool) -> io::Result<Connection> {
        while !fresh && let Some((connection, since)) = self.take(address) {
            if since.elapsed() < self.times.keep_alive && connection.is_alive() {
                return Ok(connection);
            }
        }
        Connection::open(address, self.times.connect).await
    }

    fn take(&self, address: SocketAddr) -> Option<(Connection, Instant)> {
        self.idle.borrow_mut().get_mut(&address)?.pop()
    }

    /// Keeps a connection whose answer was read to its end.
    pub(crate) fn give_back(&self, address: SocketAddr, mut connection: Connection) {
        // Nothing is held for a connection at rest.
        connection.buffer = BytesMut::new();
        connection.used = true;
        let mut idle = self.idle.borrow_mut();
        let kept = idle.entry(address).or_default();
        if kept.len() < MOST_KEPT {
            kept.push((connection, Instant::now()));
        }
    }

    /// Closes what has rested for too long.
    pub(crate) fn sweep(&self) {
        let keep_alive = self.times.keep_alive;
        self.idle.borrow_mut().retain(|_, kept| {
            kept.retain(|(connection, since)| since.elapsed() < keep_alive && connection.is_alive());
            !kept.is_empty()
        });
    }
}
