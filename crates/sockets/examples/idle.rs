//! What connections cost: the memory of one that is idle, and the CPU of telling something
//! to all of them. Clients are another process of this program.
//!
//! `cargo run --release -p parlour-sockets --example idle -- [clients] [rounds]`
//! prints for Socket.IO over `WebSockets`: resident bytes for each client once all have been
//! silent for a while, the same after everybody was told something, and CPU for each
//! delivery of a packet that goes to everybody.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement")]

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::StatusCode;
use parlour_sockets::{
    App, Conn, Event, Gone, Listener, Packet, Request, Response, SendError, Settings, refuse,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{ChildStdout, Command};
use tokio::sync::mpsc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long everybody is silent before memory is looked at: longer than what is kept for
/// those that just came.
const SILENCE: Duration = Duration::from_secs(13);
/// Clients that come before the others, so that what the first of them costs is not counted.
const FIRST: usize = 50;

#[derive(Debug, Default)]
struct Hall(Mutex<Vec<Arc<Conn<()>>>>);

impl App for Hall {
    type State = ();

    fn has_namespace(&self, name: &str) -> bool {
        name == "/"
    }

    async fn connected(self: &Arc<Self>, conn: Arc<Conn<()>>, _: Value) {
        self.0.lock().unwrap().push(conn);
    }

    async fn event(self: &Arc<Self>, _: Arc<Conn<()>>, _: Event) {}

    fn disconnected(self: &Arc<Self>, _: Arc<Conn<()>>, gone: Gone) {
        println!("a client is gone: {gone:?}");
    }

    async fn request(self: &Arc<Self>, _: Request) -> Response {
        refuse(StatusCode::NOT_FOUND, "not here")
    }
}

impl Hall {
    async fn has(&self, clients: usize) {
        while self.0.lock().unwrap().len() < clients {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn tell(&self, packet: &Packet) -> Result<(), SendError> {
        let conns = self.0.lock().unwrap();
        conns.iter().try_for_each(|conn| conn.send(packet))
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual: usize| {
        let given = arguments.get(at).and_then(|argument| argument.parse().ok());
        given.unwrap_or(usual)
    };
    match arguments.first().map(String::as_str) {
        Some("clients") => clients(arguments.get(1).unwrap(), number(2, 1)).await,
        _ => serve(number(0, 2000), number(1, 200)).await,
    }
}

async fn serve(clients: usize, rounds: usize) {
    let listener = Listener::bind(Settings {
        listen: ([127, 0, 0, 1], 0).into(),
        most: 100_000,
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        queue: 64,
        payload_bytes: 100_000,
        stalled: Duration::from_secs(20),
        connect_timeout: None,
    })
    .await
    .unwrap();
    let address = listener.address().unwrap().to_string();
    let hall = Arc::new(Hall::default());
    tokio::spawn(listener.serve(hall.clone(), CancellationToken::new()));
    let mut first = come(&address, FIRST);
    hall.has(FIRST).await;
    let packet = Packet::event("new_message", &json!({ "content": "x".repeat(200) }));
    hall.tell(&packet).unwrap();
    heard(&mut first).await;
    tokio::time::sleep(SILENCE).await;
    let before = resident();
    let mut others = come(&address, clients);
    hall.has(FIRST + clients).await;
    tokio::time::sleep(SILENCE).await;
    let each = |now: u64| now.saturating_sub(before) / clients as u64;
    println!("{clients} idle clients: {} bytes each", each(resident()));
    let started = cpu();
    for _ in 0..rounds {
        hall.tell(&packet).unwrap();
        heard(&mut first).await;
        heard(&mut others).await;
    }
    let deliveries = (rounds * (FIRST + clients)) as f64;
    let (user, system) = cpu();
    let each_of = |spent: Duration, before: Duration| {
        spent.saturating_sub(before).as_nanos() as f64 / 1000.0 / deliveries
    };
    println!(
        "{deliveries} deliveries: {:.2} µs of CPU each in the program, {:.2} in the system",
        each_of(user, started.0),
        each_of(system, started.1)
    );
    tokio::time::sleep(SILENCE).await;
    println!("after them, idle again: {} bytes each", each(resident()));
}

type Said = tokio::io::Lines<BufReader<ChildStdout>>;

/// Starts another process with so many clients.
fn come(address: &str, clients: usize) -> Said {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .args(["clients", address, &clients.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    // It lives as long as we hold its standard input.
    std::mem::forget(child);
    said
}

/// Waits until all clients of a process heard a packet.
async fn heard(said: &mut Said) {
    assert!(said.next_line().await.unwrap().is_some(), "the clients are gone");
}

/// Answers pings, and says a line whenever all have heard something.
async fn clients(address: &str, count: usize) {
    let (sender, mut events) = mpsc::channel(count);
    std::thread::spawn(|| {
        std::io::stdin().lines().last();
        std::process::exit(0);
    });
    for _ in 0..count {
        let there = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (mut ws, _) = connect_async(there).await.unwrap();
        ws.send(Message::text("40")).await.unwrap();
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Some(Ok(message)) = ws.next().await {
                match message.to_text().unwrap_or_default() {
                    "2" => ws.send(Message::text("3")).await.unwrap(),
                    text if text.starts_with("42") => sender.send(()).await.unwrap(),
                    _ => {}
                }
            }
        });
    }
    let mut heard = 0;
    while events.recv().await.is_some() {
        heard += 1;
        if heard == count {
            println!("all");
            heard = 0;
        }
    }
}

/// What is in memory of this process, in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// What this process has computed itself and in the system, by ticks of 10 ms.
fn cpu() -> (Duration, Duration) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    let mut ticks = after_name
        .split(' ')
        .skip(11)
        .map(|field| Duration::from_millis(field.parse::<u64>().unwrap() * 10));
    (ticks.next().unwrap(), ticks.next().unwrap())
}
