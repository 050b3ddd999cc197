//! A RabbitMQ vhost for one test.

mod contents;

use std::net::SocketAddr;

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, Queue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use crate::eventually::Wait;
use crate::{blocking, engines};

/// The first part of every test vhost's name.
const PREFIX: &str = "parlour_test_";

/// A RabbitMQ vhost that one test has to itself. It is deleted with this value,
/// also when the test panicked.
pub struct Vhost {
    api: Management,
    amqp: Url,
    name: String,
}

/// What a queue holds at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// Messages that wait for a consumer; those delivered and not yet acknowledged are not counted.
    pub ready: u32,
    /// Consumers.
    pub consumers: u32,
}

impl Vhost {
    /// A new one, which the tests' user may do everything in.
    pub async fn create() -> Self {
        let api = Management::new();
        sweep(&api).await;
        let name = engines::unique_name(PREFIX);
        api.must(Method::PUT, &format!("vhosts/{name}"), Some(json!({})))
            .await;
        let everything = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        let permissions = format!("permissions/{name}/{}", api.user());
        api.must(Method::PUT, &permissions, Some(everything)).await;
        Self {
            api,
            amqp: engines::address("PARLOUR_TEST_AMQP_URL"),
            name,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its AMQP address; `through` is a [`FaultProxy`](crate::FaultProxy) that leads to it.
    pub fn url(&self, through: Option<SocketAddr>) -> String {
        let mut url = self.amqp.clone();
        url.set_path(&self.name);
        if let Some(proxy) = through {
            url.set_ip_host(proxy.ip()).expect("the address has a host");
            url.set_port(Some(proxy.port())).expect("the address has a host");
        }
        url.into()
    }

    /// Where the broker listens: what a [`FaultProxy`](crate::FaultProxy) leads to.
    pub fn address(&self) -> String {
        format!(
            "{}:{}",
            self.amqp.host_str().unwrap_or("127.0.0.1"),
            self.amqp.port().unwrap_or(5672)
        )
    }

    /// What the queue `name` holds; `None` when there is none. Asked of the queue
    /// itself, because the management's figures are seconds old.
    pub async fn queue(&self, name: &str) -> Option<QueueState> {
        let queue = find(&self.channel().await, name).await?;
        Some(QueueState {
            ready: queue.message_count(),
            consumers: queue.consumer_count(),
        })
    }

    async fn channel(&self) -> Channel {
        let connection = Connection::connect(&self.url(None), ConnectionProperties::default()).await;
        let connection = connection.expect("RabbitMQ answers");
        let channel = connection.create_channel().await;
        channel.expect("RabbitMQ opens a channel")
    }

    /// Waits until somebody consumes from the queue `name`.
    pub async fn consumed(&self, name: &str) {
        let mut wait = Wait::begin();
        loop {
            match self.queue(name).await {
                Some(queue) if queue.consumers > 0 => return,
                other => wait.on(&format!("{name}: {other:?}")).await,
            }
        }
    }

    /// The routing keys that the queue `name` is bound by, sorted.
    pub async fn bindings(&self, name: &str) -> Vec<String> {
        let list = self
            .api
            .list(&format!("queues/{}/{name}/bindings", self.name))
            .await;
        let bound = list.iter().filter(|binding| text(binding, "source") != Some(""));
        let mut keys: Vec<String> = bound
            .filter_map(|b| Some(text(b, "routing_key")?.to_owned()))
            .collect();
        keys.sort();
        keys
    }

    /// Closes all connections to it, as the broker's operator would. Answers how many there were.
    pub async fn close_connections(&self) -> usize {
        let list = self.api.list(&format!("vhosts/{}/connections", self.name)).await;
        for connection in &list {
            let name = text(connection, "name").unwrap_or_default();
            // One that ended by itself meanwhile is gone as well.
            self.api.call(Method::DELETE, &["connections", name], None).await;
        }
        list.len()
    }
}

/// The queue `name`, or `None` when there is none; the broker has closed the channel then.
async fn find(channel: &Channel, name: &str) -> Option<Queue> {
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let asked = channel.queue_declare(name.into(), passive, FieldTable::default());
    asked.await.ok()
}

impl Drop for Vhost {
    fn drop(&mut self) {
        let path = format!("vhosts/{}", self.name);
        blocking::run(async move { Management::new().must(Method::DELETE, &path, None).await });
    }
}

/// RabbitMQ's management API.
struct Management {
    client: reqwest::Client,
    base: Url,
}

impl Management {
    fn new() -> Self {
        Self {
            client: reqwest::Client::new(),
            base: engines::address("PARLOUR_TEST_RABBIT_API"),
        }
    }

    fn user(&self) -> &str {
        self.base.username()
    }

    async fn call(&self, method: Method, path: &[&str], body: Option<Value>) -> reqwest::Response {
        let mut url = self.base.clone();
        url.set_username("").expect("the address has a host");
        url.set_password(None).expect("the address has a host");
        url.path_segments_mut()
            .expect("the address has a host")
            .push("api")
            .extend(path);
        let request = self
            .client
            .request(method, url)
            .basic_auth(self.user(), self.base.password());
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.expect("RabbitMQ's management answers")
    }

    async fn must(&self, method: Method, path: &str, body: Option<Value>) {
        let segments: Vec<&str> = path.split('/').collect();
        let status = self.call(method, &segments, body).await.status();
        let fine = status.is_success() || status == StatusCode::NOT_FOUND;
        assert!(fine, "RabbitMQ's management answers {status} to {path}");
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        let segments: Vec<&str> = path.split('/').collect();
        let answer = self.call(Method::GET, &segments, None).await;
        answer.json().await.unwrap_or_default()
    }
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field)?.as_str()
}

/// Deletes what killed runs left behind, once in a process.
async fn sweep(api: &Management) {
    static SWEPT: OnceCell<()> = OnceCell::const_new();
    SWEPT
        .get_or_init(async || {
            for vhost in api.list("vhosts").await {
                let name = text(&vhost, "name").unwrap_or_default();
                if engines::is_leftover(name, PREFIX) {
                    api.must(Method::DELETE, &format!("vhosts/{name}"), None).await;
                }
            }
        })
        .await;
}
