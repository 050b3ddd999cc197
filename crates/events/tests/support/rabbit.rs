//! A vhost through the management API.

use serde_json::{Value, json};

#[derive(Clone)]
pub struct Rabbit {
    api: reqwest::Url,
    amqp: String,
    vhost: String,
}

impl Rabbit {
    pub async fn new(vhost: &str) -> Self {
        let rabbit = Self::existing(vhost);
        rabbit.create().await;
        rabbit
    }

    pub fn existing(vhost: &str) -> Self {
        let api = super::env("PARLOUR_TEST_RABBIT_API", "http://parlour:pw@127.0.0.1:17672");
        let amqp = super::env("PARLOUR_TEST_AMQP_URL", "amqp://parlour:pw@127.0.0.1:7672/%2f");
        Self {
            api: api.parse().unwrap(),
            amqp,
            vhost: vhost.to_owned(),
        }
    }

    pub async fn create(&self) {
        self.put(&format!("vhosts/{}", self.vhost), json!({})).await;
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        self.put(
            &format!("permissions/{}/{}", self.vhost, self.api.username()),
            all,
        )
        .await;
    }

    pub async fn remove(&self) {
        self.call(reqwest::Method::DELETE, &format!("vhosts/{}", self.vhost), None)
            .await;
    }

    /// The address of the vhost.
    pub fn amqp_url(&self) -> String {
        let start = self.amqp.find("://").unwrap() + 3;
        let end = self.amqp[start..]
            .find('/')
            .map_or(self.amqp.len(), |i| start + i);
        format!("{}/{}", &self.amqp[..end], self.vhost)
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> reqwest::Response {
        let mut url = self.api.clone();
        let (user, password) = (url.username().to_owned(), url.password().map(str::to_owned));
        url.set_username("").unwrap();
        url.set_password(None).unwrap();
        let url = format!("{}api/{path}", url);
        let mut request = reqwest::Client::new()
            .request(method, url)
            .basic_auth(user, password);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.expect("PARLOUR_TEST_RABBIT_API answers")
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call(reqwest::Method::GET, path, None)
            .await
            .json()
            .await
            .unwrap_or(Value::Null)
    }

    pub async fn put(&self, path: &str, body: Value) {
        let answer = self.call(reqwest::Method::PUT, path, Some(body)).await;
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    pub async fn delete(&self, path: &str) -> bool {
        self.call(reqwest::Method::DELETE, path, None)
            .await
            .status()
            .is_success()
    }

    /// Closes every connection to the vhost; answers how many there were.
    pub async fn cut(&self) -> usize {
        let list = self.get(&format!("vhosts/{}/connections", self.vhost)).await;
        let names: Vec<String> = list
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|c| c["name"].as_str().map(str::to_owned))
            .collect();
        for name in &names {
            let name = name.replace(' ', "%20").replace('>', "%3E");
            self.delete(&format!("connections/{name}")).await;
        }
        names.len()
    }

    /// The patterns a queue is bound to.
    pub async fn bindings(&self, queue: &str) -> Vec<String> {
        let list = self.get(&format!("queues/{}/{queue}/bindings", self.vhost)).await;
        let mut keys: Vec<String> = list
            .as_array()
            .into_iter()
            .flatten()
            .filter(|b| b["source"] != "")
            .filter_map(|b| b["routing_key"].as_str().map(str::to_owned))
            .collect();
        keys.sort();
        keys
    }

    pub async fn unbind(&self, exchange: &str, queue: &str, key: &str) {
        let key = key.replace('#', "%23");
        let path = format!("bindings/{}/e/{exchange}/q/{queue}/{key}", self.vhost);
        assert!(self.delete(&path).await, "{path}");
    }

    pub async fn queue(&self, name: &str) -> Value {
        self.get(&format!("queues/{}/{name}", self.vhost)).await
    }

    pub fn vhost(&self) -> &str {
        &self.vhost
    }
}

impl Rabbit {
    pub async fn post(&self, path: &str, body: Value) {
        let answer = self.call(reqwest::Method::POST, path, Some(body)).await;
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    pub async fn bind(&self, exchange: &str, queue: &str, key: &str) {
        let path = format!("bindings/{}/e/{exchange}/q/{queue}", self.vhost);
        self.post(&path, json!({"routing_key": key})).await;
    }

    /// Receives the next messages of a queue, so many at the most, on a connection that then breaks.
    pub async fn take_and_crash(&self, queue: &str, count: usize) {
        use futures_util::StreamExt as _;
        use lapin::{Connection, ConnectionProperties, options::BasicConsumeOptions, types::FieldTable};
        let connection = Connection::connect(&self.amqp_url(), ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        let consuming = channel.basic_consume(
            queue.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut deliveries = consuming.await.unwrap();
        for _ in 0..count {
            let next = tokio::time::timeout(std::time::Duration::from_secs(3), deliveries.next()).await;
            assert!(next.is_err() || next.unwrap().unwrap().is_ok());
        }
        connection.close(200, "crash".into()).await.unwrap();
    }

    /// Empties a queue; answers how many messages waited in it.
    pub async fn purge(&self, queue: &str) -> u32 {
        use lapin::{Connection, ConnectionProperties, options::QueuePurgeOptions};
        let connection = Connection::connect(&self.amqp_url(), ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        let purged = channel.queue_purge(queue.into(), QueuePurgeOptions::default());
        let purged = purged.await.unwrap();
        connection.close(200, "done".into()).await.unwrap();
        purged
    }

    /// Refuses connections until allowed again, and cuts those that stand.
    pub async fn shut(&self, shut: bool) {
        let path = format!("vhost-limits/{}/max-connections", self.vhost);
        if shut {
            self.put(&path, json!({"value": 0})).await;
            self.cut().await;
        } else {
            self.delete(&path).await;
        }
    }
}
