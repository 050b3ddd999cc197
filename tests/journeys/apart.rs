//! Every service in a process of its own behind a gateway, and a person with an open socket.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use parlour_testkit::{Client, eventually, free_address};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::people::sign_in;
use crate::platform::Platform;
use crate::process::Process;

/// How long something may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The processes, and where each shows its metrics.
pub(crate) struct Apart {
    pub(crate) platform: Platform,
    /// The gateway.
    pub(crate) gateway: Process,
    services: Vec<(&'static str, SocketAddr, Process)>,
    at: SocketAddr,
}

/// Somebody signed in.
pub(crate) struct Person {
    token: String,
}

impl Apart {
    /// Starts them, each with `more` in its environment.
    pub(crate) async fn start(more: &[(&str, String)]) -> Self {
        let platform = Platform::new().await;
        let identity = free_address();
        let sockets = free_address();
        let mut services = Vec::new();
        let mut upstreams = vec![(
            "PARLOUR__GATEWAY__UPSTREAMS__SOCKETS",
            format!("http://{sockets}"),
        )];
        for (name, variable) in [
            ("identity", "PARLOUR__GATEWAY__UPSTREAMS__IDENTITY"),
            ("notify", "PARLOUR__GATEWAY__UPSTREAMS__NOTIFY"),
            ("orders", "PARLOUR__GATEWAY__UPSTREAMS__ORDERS"),
            ("media", "PARLOUR__GATEWAY__UPSTREAMS__MEDIA"),
            ("chat", "PARLOUR__GATEWAY__UPSTREAMS__CHAT"),
        ] {
            let address = if name == "identity" {
                identity
            } else {
                free_address()
            };
            let internal = free_address();
            let mut environment = vec![
                ("PARLOUR__HTTP__LISTEN", address.to_string()),
                ("PARLOUR__HTTP__INTERNAL_LISTEN", internal.to_string()),
                ("PARLOUR__AUTH__IDENTITY_URL", format!("http://{identity}")),
            ];
            if name == "chat" {
                environment.push(("PARLOUR__CHAT__SOCKETS__LISTEN", sockets.to_string()));
            }
            environment.extend_from_slice(more);
            let process = platform.start(&[name], address, "/-/ready", &environment).await;
            services.push((name, internal, process));
            upstreams.push((variable, format!("http://{address}")));
        }
        let (address, at) = (free_address(), free_address());
        upstreams.push(("PARLOUR__GATEWAY__LISTEN", address.to_string()));
        upstreams.push(("PARLOUR__GATEWAY__INTERNAL_LISTEN", at.to_string()));
        upstreams.push(("PARLOUR__AUTH__IDENTITY_URL", format!("http://{identity}")));
        upstreams.extend_from_slice(more);
        let gateway = platform.start(&["gateway"], address, "/health", &upstreams).await;
        Self {
            platform,
            gateway,
            services,
            at,
        }
    }

    /// What every process shows at `/metrics`, and the internal address of each by service.
    pub(crate) async fn metrics(&self) -> String {
        let mut all = String::new();
        let services = self.services.iter().map(|(_, internal, _)| *internal);
        for address in services.chain([self.at]) {
            all.push_str(&Client::new(address).get("/metrics").await.expect(200).text());
        }
        all
    }

    /// Stops every process in an orderly way, so that the last spans are sent.
    pub(crate) async fn stop(self) -> Platform {
        self.gateway.terminate().await;
        for (_, _, process) in self.services {
            process.terminate().await;
        }
        self.platform
    }

    /// Somebody with a role, made by the operator.
    pub(crate) async fn person(&self, role: &str) -> Person {
        self.platform.make(role, &[role]);
        Person {
            token: sign_in(&self.gateway.client(), role).await,
        }
    }

    /// A client of the gateway, signed in.
    pub(crate) fn by(&self, person: &Person) -> Client {
        self.gateway.client().signed_in(&person.token)
    }

    /// Something to order.
    pub(crate) async fn offer(&self, admin: &Person) -> String {
        let service = json!({
            "kind": "tarot", "name": "Three cards", "description": "Past and future", "price": 2500,
            "currency": "EUR", "duration_minutes": 30, "delivery_mode": "written",
            "requires_payment": false, "active": true,
        });
        let offered = self.by(admin).post("/api/services").json(service);
        let data = offered.await.expect(201).data();
        data["service"]["id"].as_str().unwrap().to_owned()
    }

    /// An open connection of Socket.IO, signed in.
    pub(crate) async fn socket(&self, person: &Person) -> Socket {
        let address = format!(
            "ws://{}/socket.io/?EIO=4&transport=websocket",
            self.gateway.address
        );
        let (stream, _) = tokio_tungstenite::connect_async(address).await.unwrap();
        let mut socket = Socket(stream);
        let hello = json!({ "token": person.token });
        socket.hears("0{").await;
        socket.0.send(Message::text(format!("40{hello}"))).await.unwrap();
        socket.hears("40").await;
        socket
    }
}

/// A connection.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Waits for a packet that begins so, and answers pings meanwhile.
    pub(crate) async fn hears(&mut self, beginning: &str) -> String {
        let hearing = async {
            loop {
                let message = self.0.next().await.unwrap().unwrap();
                let text = message.to_text().unwrap_or_default().to_owned();
                if text.starts_with(beginning) {
                    return text;
                }
                if text == "2" {
                    self.0.send(Message::text("3")).await.unwrap();
                }
            }
        };
        let heard = tokio::time::timeout(PATIENCE, hearing).await;
        heard.unwrap_or_else(|_| panic!("nothing that begins with {beginning:?} was heard"))
    }
}

/// Orders as soon as the catalogue and the account have arrived where they are needed.
pub(crate) async fn order(client: &Client, service: &str, traceparent: Option<&str>) -> Value {
    let body = json!({ "service_id": service, "notes": "Will the move do us good?" });
    let answer = eventually(async || {
        let mut request = client.post("/api/orders").json(body.clone());
        if let Some(parent) = traceparent {
            request = request.header("traceparent", parent);
        }
        let answer = request.await;
        if answer.status() == 201 {
            Ok(answer)
        } else {
            Err(answer.text())
        }
    });
    answer.await.data()["order"].clone()
}
