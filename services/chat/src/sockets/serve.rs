//! From a bound listener to the last client that left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web;
use anyhow::Context as _;
use parlour_chassis::{Built, Context};
use parlour_events::Realtime;
use parlour_sockets::Listener;
use tokio_util::sync::CancellationToken;

use super::catching_up;
use super::exchange;
use super::live::Live;
use super::roster::News;
use crate::state::Chat;

/// How often this process tells the others who is here.
const WHOLE: Duration = Duration::from_secs(15);
/// How often tokens and typing are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long clients that are sent elsewhere are spread over, so that they do not come at
/// once: this much for each, and no more than so long for all.
const APART: Duration = Duration::from_millis(5);
const SPREAD: Duration = Duration::from_secs(2);

/// Binds the address, and adds what serves it: the connections, and a page for operators
/// that tells how many there are.
pub async fn open(built: &mut Built, chat: Arc<Chat>, context: Context) -> anyhow::Result<()> {
    let settings = chat.settings.sockets.clone();
    let address = settings.listen;
    let bound = Listener::bind(settings.listener()).await;
    let listener = bound.with_context(|| format!("sockets cannot be listened for on {address}"))?;
    let address = listener.address()?;
    let door = listener.door();
    context.handovers.offer(address, move |handed| {
        door.take(handed.stream, handed.said, handed.held);
    });
    let live = Arc::new(Live::new(chat, context.clone(), settings));
    let shown = live.clone();
    built.pages.push(Arc::new(move |config: &mut web::ServiceConfig| {
        let live = shown.clone();
        let page = move || {
            let live = live.clone();
            async move { web::Json(live.figures(address)) }
        };
        config.route("/sockets", web::get().to(page));
    }));
    built.tasks.push(Box::pin(run(live, listener, context)));
    Ok(())
}

/// Lets clients in until the process stops, then sends them elsewhere.
async fn run(live: Arc<Live>, listener: Listener, context: Context) {
    let stop = context.stop.clone();
    tracing::info!(address = ?listener.address(), "sockets can connect");
    // Pushes are heard for a while longer than clients are let in.
    let hearing = CancellationToken::new();
    let _hearing = hearing.clone().drop_guard();
    let told = live.clone();
    let deliver = move |push| exchange::deliver(&told, push);
    let heard = Realtime::new(context.broker.clone()).subscribe(&["#"], deliver, hearing);
    let background = tokio::spawn(watch(live.clone(), heard, stop.clone()));
    listener.serve(live.clone(), stop).await;
    background.await.ok();
    send_elsewhere(&live).await;
}

/// Everything that is done by the clock.
async fn watch(live: Arc<Live>, mut heard: tokio::sync::watch::Receiver<bool>, stop: CancellationToken) {
    let mut look = tokio::time::interval(LOOK);
    let mut whole = tokio::time::interval(WHOLE);
    let mut resync = tokio::time::interval(Duration::from_secs(live.settings.resync_seconds));
    let verifier = live.verifier().ok().cloned();
    let mut revoked = verifier.as_ref().map(|verifier| verifier.revocations().changes());
    loop {
        let changed = async {
            match &mut revoked {
                Some(revoked) => revoked.changed().await.is_ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            true = changed => dismiss(&live),
            _ = look.tick() => {
                let now = Instant::now();
                live.typing.sweep(&live, now);
                live.visits.sweep(&live.hub, now);
                exchange::sweep(&live, now);
                dismiss(&live);
            }
            _ = whole.tick() => live.spread(&live.roster.whole()),
            // Whatever was pushed while nothing was heard is in the database.
            Ok(()) = heard.changed() => {
                if *heard.borrow_and_update() {
                    live.spread(&News { hello: true, ..live.roster.whole() });
                    catch_up(&live).await;
                }
            }
            _ = resync.tick() => catch_up(&live).await,
        }
    }
}

async fn catch_up(live: &Arc<Live>) {
    if let Err(error) = catching_up::resync(live).await {
        tracing::warn!(%error, "it cannot be seen now whether pushes were lost");
    }
}

/// Ends the connections of those whose token has ended.
fn dismiss(live: &Live) {
    let now = live.chat.now();
    let verifier = live.verifier().ok();
    for seat in live.hub.all() {
        let revoked = verifier.is_some_and(|verifier| verifier.revocations().is_revoked(&seat.principal()));
        if revoked || seat.is_expired(now) {
            let reason = if revoked { "revoked" } else { "expired" };
            let code = parlour_http::code::AUTHENTICATION_REQUIRED;
            seat.dismiss(reason, code, "Sign in again.");
            live.stand(&seat);
        }
    }
}

/// Ends the connections one by one. Clients connect again by themselves, to another process.
async fn send_elsewhere(live: &Live) {
    let seats = live.hub.all();
    let many = u32::try_from(seats.len()).unwrap_or(u32::MAX).max(1);
    let pause = APART.min(SPREAD / many);
    let mut next = tokio::time::Instant::now();
    for seat in seats {
        seat.end("stopping");
        next += pause;
        // Until a time, not for one: a timer takes a millisecond at least.
        tokio::time::sleep_until(next).await;
    }
    live.spread(&live.roster.nobody());
}
