//! What a test runs in.

use parlour_contracts::identity::v1::ProfileUpdated;
use parlour_db::{Db, Tx};
use parlour_events::{
    Broker, BrokerSettings, Consumer, ConsumerSettings, Failure, Incoming, Relay, RelaySettings,
};
use tokio_util::sync::CancellationToken;

use super::postgres::{connect, root, settings, unique, with_database};
use super::{CONSUMER, PUBLISHER, Rabbit, Running, eventually, log, quick, record};

pub struct World {
    /// Whether the end of this removes the database and the vhost.
    owner: bool,
    pub name: String,
    pub admin_url: String,
    pub rabbit: Rabbit,
    pub sql: tokio_postgres::Client,
    pub stop: CancellationToken,
    pub settings: parlour_db::Settings,
}

impl World {
    /// `identity` publishes and `orders` consumes; `orders.applied` has what took effect.
    pub async fn new() -> Self {
        log();
        let root = root();
        let name = unique();
        let admin = Self::alone_with_roles().await;
        admin
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let admin_url = with_database(&root, &name);
        let settings = settings(&root, &name);
        for service in [PUBLISHER, CONSUMER] {
            parlour_db::migrate(&settings, service, vec![parlour_events::MIGRATIONS])
                .await
                .unwrap();
        }
        drop(admin);
        let sql = connect(&admin_url).await;
        sql.batch_execute(
            "SET ROLE parlour_orders_owner;
             CREATE TABLE orders.applied (seq bigint GENERATED ALWAYS AS IDENTITY, event_id uuid NOT NULL,
               aggregate text NOT NULL, version bigint NOT NULL, word text NOT NULL);
             RESET ROLE",
        )
        .await
        .unwrap();
        let rabbit = Rabbit::new(&name).await;
        Self {
            owner: true,
            name,
            admin_url,
            rabbit,
            sql,
            stop: CancellationToken::new(),
            settings,
        }
    }

    /// Roles are of the whole cluster: two tests must not make or change them at once. A test that migrates has to hold
    /// this connection meanwhile.
    pub async fn alone_with_roles() -> tokio_postgres::Client {
        let admin = connect(&root()).await;
        admin.execute("SELECT pg_advisory_lock(4711)", &[]).await.unwrap();
        admin
    }

    /// The world of a parent process.
    pub async fn of(name: &str) -> Self {
        log();
        let root = root();
        let admin_url = with_database(&root, name);
        Self {
            owner: false,
            name: name.to_owned(),
            rabbit: Rabbit::existing(name),
            sql: connect(&admin_url).await,
            admin_url,
            stop: CancellationToken::new(),
            settings: settings(&root, name),
        }
    }

    /// A pool of its own, as another process would have.
    pub fn db(&self, service: &'static str) -> Db {
        Db::new(&self.settings, service).unwrap()
    }

    pub fn broker(&self) -> Broker {
        Broker::new(self.broker_settings()).unwrap()
    }

    pub fn broker_settings(&self) -> BrokerSettings {
        BrokerSettings::at(self.rabbit.amqp_url())
    }

    /// A relay of the publisher that lives until the world's or its own end.
    pub fn relay(&self) -> (Db, Running) {
        self.relay_with(RelaySettings::default())
    }

    pub fn relay_with(&self, settings: RelaySettings) -> (Db, Running) {
        let db = self.db(PUBLISHER);
        let stop = self.stop.child_token();
        let task = Relay::spawn(db.clone(), self.broker(), settings, stop.clone());
        (db, Running { stop, task })
    }

    /// The consumer that records what took effect; `judge` may refuse.
    pub async fn consumer<J>(&self, judge: J) -> Running
    where
        J: Fn(&Incoming<ProfileUpdated>) -> Result<(), Failure> + Clone + Send + Sync + 'static,
    {
        self.consumer_with(quick(), judge).await
    }

    pub async fn consumer_with<J>(&self, settings: ConsumerSettings, judge: J) -> Running
    where
        J: Fn(&Incoming<ProfileUpdated>) -> Result<(), Failure> + Clone + Send + Sync + 'static,
    {
        let consumer =
            Consumer::new(CONSUMER).on(async move |tx: &mut Tx, event: Incoming<ProfileUpdated>| {
                judge(&event)?;
                record(tx, &event).await
            });
        let stop = self.stop.child_token();
        let task = consumer.spawn(self.db(CONSUMER), self.broker(), settings, stop.clone());
        self.bound().await;
        Running { stop, task }
    }

    /// Waits for the consumer's queue: what is published before it stands is not for it.
    pub async fn bound(&self) {
        let queue = parlour_events::queue(CONSUMER);
        eventually("the queue is bound", async || {
            (!self.rabbit.bindings(&queue).await.is_empty()).then_some(())
        })
        .await;
    }

    /// The words that took effect on an aggregate, in their order.
    pub async fn words(&self, aggregate: &str) -> Vec<String> {
        let sql = "SELECT word FROM orders.applied WHERE aggregate = $1 ORDER BY seq";
        let rows = self.sql.query(sql, &[&aggregate]).await.unwrap();
        rows.iter().map(|r| r.get(0)).collect()
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.sql
            .query_one(&format!("SELECT count(*) FROM {sql}"), &[])
            .await
            .unwrap()
            .get(0)
    }

    pub async fn eventually_words(&self, aggregate: &str, expected: &[&str]) {
        eventually(&format!("{aggregate} has {expected:?}"), async || {
            (self.words(aggregate).await == expected).then_some(())
        })
        .await;
    }

    /// Waits for exactly so many; fails when there are more, or when none come any more.
    pub async fn eventually_count(&self, sql: &str, expected: i64) {
        let mut reached = self.count(sql).await;
        while reached < expected {
            let before = reached;
            reached = eventually(
                &format!("more than {before} of {expected} in {sql}"),
                async || {
                    let count = self.count(sql).await;
                    (count > before).then_some(count)
                },
            )
            .await;
        }
        assert_eq!(reached, expected, "in {sql}");
    }

    /// Cuts the database connections of both services.
    pub async fn terminate_backends(&self) -> u64 {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name LIKE 'parlour-%'";
        self.sql.execute(sql, &[]).await.unwrap()
    }

    /// Everything that was committed has taken effect exactly once, in order.
    pub async fn eventually_settled(&self) {
        eventually("everything is published", async || {
            (self.count("identity.outbox WHERE published_at IS NULL").await == 0).then_some(())
        })
        .await;
        let expected = self.count("identity.outbox").await;
        self.eventually_count("orders.applied", expected).await;
        assert_eq!(self.count("orders.parked").await, 0);
        let wrong = "(SELECT aggregate FROM orders.applied GROUP BY 1 HAVING \
            array_agg(version ORDER BY seq) <> (SELECT array_agg(v) FROM generate_series(1, \
            (SELECT version FROM identity.aggregate_versions a WHERE a.aggregate = applied.aggregate)) v)) w";
        assert_eq!(self.count(wrong).await, 0, "not once, or not in order");
    }

    /// Exactly once, and in order within each aggregate.
    pub async fn assert_order(&self, aggregates: usize, each: i64) {
        let rows = self
            .sql
            .query(
                "SELECT aggregate, array_agg(version ORDER BY seq) FROM orders.applied GROUP BY 1",
                &[],
            )
            .await
            .unwrap();
        assert_eq!(rows.len(), aggregates);
        for row in rows {
            let versions: Vec<i64> = row.get(1);
            assert_eq!(
                versions,
                (1..=each).collect::<Vec<_>>(),
                "{}",
                row.get::<_, String>(0)
            );
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
        if !self.owner {
            return;
        }
        let (url, name, rabbit) = (self.admin_url.clone(), self.name.clone(), self.rabbit.clone());
        let clean = async move {
            let root = connect(&with_database(&url, "postgres")).await;
            drop(
                root.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await,
            );
            rabbit.remove().await;
        };
        let cleaner = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(clean);
        });
        drop(cleaner.join());
    }
}
