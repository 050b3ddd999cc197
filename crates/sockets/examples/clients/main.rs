//! One load for two chats: clients that post over HTTP, say something over sockets, listen, or only stay.
//!
//! `cargo run --release -p parlour-sockets --example clients -- PLAN.json`
//! connects, prints `ready`, begins with the next line on its standard input, and prints what came of it as one
//! line of JSON. It ends by itself, except for clients that stay: those come back whenever they are cut off, and
//! `all` is printed each time when everybody is there again; they end with the standard input.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a measurement that cannot go on should stop"
)]

mod figures;
mod http;
mod socket;

use std::collections::HashMap;
use std::io::BufRead as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;

use figures::Figures;
use socket::Sayer;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long deliveries may come in after the last message was answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Work {
    /// Messages over HTTP.
    Post,
    /// Messages over sockets, by those that listen.
    Say,
    /// The newest fifty messages over HTTP.
    Page,
    /// Nothing.
    Stay,
}

/// A person in a conversation.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Place {
    pub(crate) token: String,
    pub(crate) session: String,
}

/// What is to be done.
#[derive(Debug, Deserialize)]
struct Plan {
    address: String,
    work: Work,
    /// Connections that listen; those that say something are the first of them.
    sockets: Vec<Place>,
    /// Connections over HTTP.
    requests: Vec<Place>,
    /// Of the sockets, those that say something.
    sayers: usize,
    /// For how long.
    seconds: f64,
    /// How often altogether in a second; 0: as often as it is answered.
    rate: f64,
    /// Characters of a message.
    length: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let file = std::env::args().nth(1).unwrap();
    let plan: Plan = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let address: Arc<str> = plan.address.as_str().into();
    if plan.work == Work::Stay {
        return socket::stay(address, plan.sockets).await;
    }
    let figures = Arc::new(Figures::default());
    let mut sayers = Vec::new();
    for (at, place) in plan.sockets.iter().enumerate() {
        let sayer = socket::join(&address, place, &figures).await;
        sayers.extend((at < plan.sayers).then_some(sayer));
    }
    let mut requesters = Vec::new();
    for place in &plan.requests {
        requesters.push(http::Requester::connect(&address, place).await);
    }
    println!("ready");
    std::io::stdin().lock().lines().next();
    let (cpu, begun) = (figures::cpu(), Instant::now());
    figures.begin();
    run(&plan, sayers, requesters, &figures).await;
    let took = begun.elapsed();
    let expected = expected(&plan, &figures);
    figures.wait_for(expected, PATIENCE).await;
    let report = json!({
        "count": figures.answered(),
        "seconds": took.as_secs_f64(),
        "expected": expected,
        "delivered": figures.delivered(),
        "answer_ms": figures.answer(),
        "receipt_ms": figures.receipt(),
        "client_cpu": figures::cpu().saturating_sub(cpu).as_secs_f64() / begun.elapsed().as_secs_f64(),
    });
    println!("{report}");
}

/// Whoever works does one thing after the other; with a rate they take turns at even
/// intervals, and what comes late counts from when it was due.
async fn run(plan: &Plan, sayers: Vec<Sayer>, requesters: Vec<http::Requester>, figures: &Arc<Figures>) {
    let count = sayers.len() + requesters.len();
    let pace = Pace {
        begun: Instant::now(),
        until: Duration::from_secs_f64(plan.seconds),
        every: (plan.rate > 0.0).then(|| Duration::from_secs_f64(count as f64 / plan.rate)),
    };
    let mut tasks = JoinSet::new();
    for (at, mut sayer) in sayers.into_iter().enumerate() {
        let (mut turns, figures, length) = (pace.turns(at, count), figures.clone(), plan.length);
        tasks.spawn(async move {
            while let Some(due) = turns.next().await {
                sayer.say(&figures.content(due, length)).await;
                figures.note_answer(&sayer.session, due);
            }
        });
    }
    let work = plan.work;
    for (at, mut requester) in requesters.into_iter().enumerate() {
        let (mut turns, figures, length) = (pace.turns(at, count), figures.clone(), plan.length);
        tasks.spawn(async move {
            while let Some(due) = turns.next().await {
                match work {
                    Work::Page => requester.page().await,
                    _ => requester.post(&figures.content(due, length)).await,
                }
                figures.note_answer(&requester.session, due);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Each message goes to every socket of its session but the one that it came by.
fn expected(plan: &Plan, figures: &Figures) -> u64 {
    let mut listening: HashMap<&str, u64> = HashMap::new();
    for place in &plan.sockets {
        *listening.entry(&place.session).or_default() += 1;
    }
    let own = u64::from(plan.work == Work::Say);
    let sessions = figures.sessions();
    let counted = sessions.iter().filter(|_| plan.work != Work::Page);
    let each = |(session, said): (&String, &u64)| {
        let listeners = listening.get(session.as_str()).copied().unwrap_or_default();
        said * listeners.saturating_sub(own)
    };
    counted.map(each).sum()
}

#[derive(Clone, Copy)]
struct Pace {
    begun: Instant,
    until: Duration,
    every: Option<Duration>,
}

struct Turns {
    pace: Pace,
    next: Duration,
}

impl Pace {
    fn turns(self, at: usize, of: usize) -> Turns {
        let share = at as f64 / of as f64;
        let next = self.every.unwrap_or_default().mul_f64(share);
        Turns { pace: self, next }
    }
}

impl Turns {
    /// When the next thing is due; nothing once the time is over.
    async fn next(&mut self) -> Option<Instant> {
        let pace = self.pace;
        let Some(every) = pace.every else {
            return (pace.begun.elapsed() < pace.until).then(Instant::now);
        };
        if self.next >= pace.until {
            return None;
        }
        let due = pace.begun + self.next;
        self.next += every;
        tokio::time::sleep_until(due.into()).await;
        Some(due)
    }
}
