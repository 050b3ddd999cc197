//! Clients of Socket.IO over `WebSocket`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Place;
use crate::figures::Figures;

type Ws = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connections that are made at the same time.
const AT_ONCE: usize = 64;
/// As the official client waits before it comes back: at first, and at most.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MOST_WAIT: Duration = Duration::from_secs(5);

/// Somebody who says something over their connection.
pub(crate) struct Sayer {
    pub(crate) session: String,
    outgoing: mpsc::Sender<String>,
    acks: mpsc::Receiver<()>,
    said: u64,
}

impl Sayer {
    /// Says it, and waits until it is acknowledged.
    pub(crate) async fn say(&mut self, content: &str) {
        self.said += 1;
        let body = json!(["send_message", {
            "session_id": self.session,
            "message": { "id": format!("{:x}", rand::random::<u128>()), "content": content, "type": "text" },
        }]);
        let id = self.said;
        self.outgoing.send(format!("42{id}{body}")).await.unwrap();
        self.acks.recv().await.unwrap();
    }
}

/// Signs in and joins the session.
pub(crate) async fn join(address: &str, place: &Place, figures: &Arc<Figures>) -> Sayer {
    let mut ws = sign_in(address, &place.token).await.unwrap();
    let join = json!(["join_chat", { "session_id": place.session }]);
    ws.send(Message::text(format!("420{join}"))).await.unwrap();
    until(&mut ws, |text| {
        assert!(!text.contains(r#""success":false"#), "refused: {text}");
        text.starts_with("430[")
    })
    .await
    .unwrap();
    let (outgoing, out) = mpsc::channel(1);
    let (acknowledged, acks) = mpsc::channel(1);
    tokio::spawn(listen(ws, out, acknowledged, figures.clone()));
    Sayer {
        session: place.session.clone(),
        outgoing,
        acks,
        said: 0,
    }
}

async fn sign_in(address: &str, token: &str) -> Result<Ws, Error> {
    let there = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
    let (mut ws, _) = connect_async(there).await?;
    ws.send(Message::text(format!("40{}", json!({ "token": token }))))
        .await?;
    until(&mut ws, |text| text.starts_with(r#"42["authenticated""#)).await?;
    Ok(ws)
}

/// Reads until something fits, and answers pings meanwhile.
async fn until(ws: &mut Ws, fits: impl Fn(&str) -> bool) -> Result<(), Error> {
    while let Some(message) = ws.next().await {
        let message = message?;
        let text = message.to_text().unwrap_or_default();
        if text == "2" {
            ws.send(Message::text("3")).await?;
        } else if fits(text) {
            return Ok(());
        }
    }
    Err(Error::ConnectionClosed)
}

async fn listen(
    mut ws: Ws,
    mut out: mpsc::Receiver<String>,
    acknowledged: mpsc::Sender<()>,
    figures: Arc<Figures>,
) {
    let mut saying = true;
    loop {
        let message = tokio::select! {
            message = ws.next() => message,
            text = out.recv(), if saying => {
                match text {
                    Some(text) => ws.send(Message::text(text)).await.unwrap(),
                    None => saying = false,
                }
                continue;
            }
        };
        let message = message.expect("a connection was ended").unwrap();
        let text = message.to_text().unwrap_or_default();
        if text == "2" {
            ws.send(Message::text("3")).await.unwrap();
        } else if text.starts_with(r#"42["new_message""#) {
            figures.note_receipt(text);
        } else if text.starts_with("43") {
            assert!(text.contains(r#""success":true"#), "refused: {text}");
            acknowledged.send(()).await.unwrap();
        }
    }
}

/// Connects everybody, and says `all` whenever everybody is there.
pub(crate) async fn stay(address: Arc<str>, places: Vec<Place>) {
    std::thread::spawn(|| {
        std::io::stdin().lines().last();
        std::process::exit(0);
    });
    let (all, there) = (places.len(), Arc::new(AtomicUsize::new(0)));
    let slots = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for place in places {
        let (address, there, slots) = (address.clone(), there.clone(), slots.clone());
        tasks.spawn(async move {
            let mut wait = FIRST_WAIT;
            loop {
                let slot = slots.acquire().await.unwrap();
                let came = sign_in(&address, &place.token).await;
                drop(slot);
                if let Ok(mut ws) = came {
                    wait = FIRST_WAIT;
                    if there.fetch_add(1, Ordering::Relaxed) + 1 == all {
                        println!("all");
                    }
                    until(&mut ws, |_| false).await.ok();
                    there.fetch_sub(1, Ordering::Relaxed);
                }
                tokio::time::sleep(wait.mul_f64(rand::random_range(0.5..1.5))).await;
                wait = (wait * 2).min(MOST_WAIT);
            }
        });
    }
    tasks.join_next().await;
}
