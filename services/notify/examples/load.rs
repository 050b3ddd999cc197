//! What notify promises about speed, measured: the unread count of somebody with a million
//! notifications, a broadcast to 100,000 people beside interactive requests, and the way of
//! an event to the sockets. Run by `tests/load/notify`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on should stop"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use parlour_contracts::orders::v1::OrderDelivered;
use parlour_db::{Db, DbError, Scope, Tx};
use parlour_events::realtime::Push;
use parlour_events::{Broker, BrokerSettings, Realtime, Relay, RelaySettings};
use parlour_testkit::{App, Client, Database, Person, eventually};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const PEOPLE: i32 = 100_000;
const NOTIFICATIONS: i32 = 1_000_000;
/// People of whom the events tell.
const CLIENTS: i32 = 1000;
/// Seconds for which events are published.
const SECONDS: u32 = 10;

fn main() {
    // As a process of the platform has.
    parlour_chassis::runtime().unwrap().block_on(measure());
}

async fn measure() {
    let services = [parlour_identity::service(), parlour_notify::service()];
    // Orders' events are published here, in its name.
    let database = Database::of(&[&services[..], &[parlour_orders::service()]].concat()).await;
    let app = App::of(&services)
        .on(database)
        .with_vhost()
        .set("database.pool_size", 16)
        .start()
        .await;
    let (owner, ana) = (app.person("owner").await, app.person("client").await);
    let known = "SELECT count(*) = 2 FROM notify.people";
    eventually(async || row::<bool>(&app, known).await).await;
    let named: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|n| n == name);
    if wanted("socket") {
        socket(&app).await;
    }
    if wanted("unread") {
        unread(&app, &ana).await;
    }
    if wanted("broadcast") {
        broadcast(&app, &owner).await;
    }
}

async fn row<T: for<'r> tokio_postgres::types::FromSql<'r>>(app: &App, sql: &str) -> T {
    app.database()
        .admin()
        .await
        .query_one(sql, &[])
        .await
        .unwrap()
        .get(0)
}

/// Median and 99th percentile, in milliseconds.
fn figures(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| {
        times
            .get((times.len() - 1) * share / 100)
            .map_or(0.0, Duration::as_secs_f64)
            * 1e3
    };
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, {} of them",
        at(50),
        at(99),
        times.len()
    )
}

/// One request each hundredth of a second, as people would: one after the other they would be most of the load
/// themselves. One that has to wait for the one before it counts from when it was due.
async fn ask_at_leisure(client: &Client, path: &str, times: usize) -> Vec<Duration> {
    let mut taken = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..times {
        let free = Instant::now();
        let due = pace.tick().await.into_std();
        let began = if free > due { due } else { Instant::now() };
        client.get(path).await.expect(200);
        taken.push(began.elapsed());
    }
    taken
}

async fn ask(client: &Client, path: &str, times: usize) -> Vec<Duration> {
    let mut taken = Vec::new();
    for _ in 0..times {
        let started = Instant::now();
        client.get(path).await.expect(200);
        taken.push(started.elapsed());
    }
    taken
}

/// Events are published, each about another client, and their pushes arrive.
async fn socket(app: &App) {
    people(app, CLIENTS).await;
    let clients: Vec<Uuid> = row(app, "SELECT array_agg(id) FROM notify.people").await;
    let seen: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let arrived = seen.clone();
    let handler = move |push: Push| {
        let order = push.payload["data"]["order_id"].as_str().map(str::to_owned);
        if let Some(order) = order {
            arrived.lock().unwrap().entry(order).or_insert_with(Instant::now);
        }
    };
    let broker = Broker::new(BrokerSettings::at(app.vhost().url(None))).unwrap();
    let realtime = Realtime::new(broker.clone());
    let orders = app.database().db("orders");
    let stop = CancellationToken::new();
    let relay = Relay::spawn(orders.clone(), broker, RelaySettings::default(), stop.clone());
    let mut up = realtime.subscribe(&["user.*"], handler, CancellationToken::new());
    up.wait_for(|up| *up).await.unwrap();
    // A build without optimisation cannot keep up with what is promised of one with it.
    let rates: &[u32] = if cfg!(debug_assertions) {
        &[50]
    } else {
        &[125, 250, 500]
    };
    // Statements that are planned on empty tables are slow on full ones until PostgreSQL has looked
    // at these, which it does by itself within the first minutes.
    publish(&orders, &clients, 50).await;
    let admin = app.database().admin().await;
    admin.batch_execute("VACUUM ANALYZE").await.unwrap();
    for rate in rates {
        let sent = publish(&orders, &clients, *rate).await;
        let seen = seen.lock().unwrap();
        let times = sent
            .iter()
            .filter_map(|(order, at)| Some(*seen.get(order)? - *at));
        println!(
            "{rate} events a second, from before the publishing transaction to the socket: {}",
            figures(times.collect())
        );
    }
    stop.cancel();
    relay.await.unwrap();
}

/// Publishes so many a second, waits until they have arrived, and answers when each was begun.
async fn publish(orders: &Db, clients: &[Uuid], rate: u32) -> HashMap<String, Instant> {
    let mut sent = HashMap::new();
    let mut pace = tokio::time::interval(Duration::from_secs(1) / rate);
    for client in clients.iter().cycle().take((SECONDS * rate) as usize) {
        pace.tick().await;
        let order = Uuid::now_v7().to_string();
        let event = OrderDelivered {
            order_id: order.clone(),
            number: "R-1".into(),
            client_id: client.to_string(),
            reader_id: Uuid::now_v7().to_string(),
            service_name: "Tarot".into(),
            ..Default::default()
        };
        let aggregate = format!("order:{order}");
        sent.insert(order, Instant::now());
        let db = orders.clone();
        tokio::spawn(async move {
            let work = async move |tx: &mut Tx| -> Result<Uuid, DbError> {
                parlour_events::publish(tx, aggregate, &event).await
            };
            db.write(Scope::Service, work).await.unwrap();
        });
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    sent
}

/// So many more people that notify knows of.
async fn people(app: &App, count: i32) {
    let sql = format!(
        "INSERT INTO notify.people (id, display_name, roles, locale, specialities, status, version)
         SELECT gen_random_uuid(), 'P', '{{client}}', 'en', '{{}}', 'active', 1 FROM generate_series(1, {count});
         ANALYZE notify.people"
    );
    app.database().admin().await.batch_execute(&sql).await.unwrap();
}

async fn unread(app: &App, ana: &Person) {
    let sql = format!(
        "SET search_path = notify;
         INSERT INTO contents (id, sealed, created_at) VALUES ('{ana}', '', now());
         INSERT INTO notifications (id, account_id, kind, priority, source, content_id, skipped, created_at)
         SELECT gen_random_uuid(), '{ana}', 'kind_' || n % 10, 'normal', gen_random_uuid(), '{ana}', '{{}}',
           now() - n * interval '1 second' FROM generate_series(1, {NOTIFICATIONS}) n",
        ana = ana.id,
    );
    app.database().admin().await.batch_execute(&sql).await.unwrap();
    let times = ask(&app.by(ana), "/api/notifications/unread-count", 300).await;
    println!("unread count of {NOTIFICATIONS}, over HTTP: {}", figures(times));
    let explain = format!(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT kind, priority, total, unread FROM notify.counters
         WHERE account_id = '{}'",
        ana.id
    );
    let plan: serde_json::Value = row(app, &explain).await;
    println!(
        "of which in PostgreSQL: {} ms",
        plan.pointer("/0/Execution Time").unwrap()
    );
}

async fn broadcast(app: &App, owner: &Person) {
    let me = app.by(owner);
    // As for events: nobody's first broadcast is the largest one.
    people(app, CLIENTS).await;
    told(&me).await;
    let admin = app.database().admin().await;
    admin.batch_execute("VACUUM ANALYZE").await.unwrap();
    people(app, PEOPLE).await;
    println!(
        "a list while idle: {}",
        figures(ask_at_leisure(&me, "/api/notifications", 1000).await)
    );
    let started = Instant::now();
    let (job, times) = told(&me).await;
    println!(
        "a broadcast to {}: {:.1} s",
        job["done"],
        started.elapsed().as_secs_f64()
    );
    println!("a list meanwhile: {}", figures(times));
    let left = "SELECT count(*) FROM notify.deliveries WHERE status <> 'sent'";
    eventually_long(app, left).await;
    println!(
        "until all of it was pushed: {:.1} s",
        started.elapsed().as_secs_f64()
    );
}

/// A broadcast to everybody, and what lists took until it was done.
async fn told(me: &Client) -> (serde_json::Value, Vec<Duration>) {
    let body = json!({ "type": "news", "title": "T", "message": "M" });
    let request = me.post("/api/notifications/broadcast").json(body);
    let accepted = request.await.expect(202).data();
    let url = accepted["status_url"].as_str().unwrap();
    let mut times = Vec::new();
    loop {
        times.extend(ask_at_leisure(me, "/api/notifications", 10).await);
        let job = me.get(url).await.expect(200).data();
        if job["status"] == "done" {
            return (job, times);
        }
    }
}

async fn eventually_long(app: &App, sql: &str) {
    while row::<i64>(app, sql).await > 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
