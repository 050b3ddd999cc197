//! The copy, kept by a running service from what another publishes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use parlour_chassis::{Built, Service};
use parlour_contracts::identity::v1::{AccountDeleted, ProfileUpdated};
use parlour_contracts::{Event, Role, id};
use parlour_db::{Db, DbError, Scope, Tx};
use parlour_directory::{MIGRATIONS, Person, find, find_many};
use parlour_events::{Consumer, Failure, Incoming};
use parlour_http::Routes;
use parlour_testkit::{App, Database, eventually};
use uuid::Uuid;

/// Identity as far as the directory knows it: somebody who publishes.
fn identity() -> Service {
    Service {
        name: "identity",
        health: None,
        defaults: "",
        migrations: Vec::new,
        has_database: true,
        check: |_| Ok(()),
        routes: Routes::default,
        build: |_| Box::pin(async { Ok(Built::new(Arc::new(()))) }),
    }
}

/// A service that keeps people, and has something of its own to do when one is gone.
fn orders() -> Service {
    Service {
        name: "orders",
        migrations: || vec![MIGRATIONS],
        build: |_| {
            Box::pin(async {
                let mut built = Built::new(Arc::new(()));
                let consumer = parlour_directory::handle(Consumer::new("orders"));
                built.consumer = Some(consumer.on(own));
                Ok(built)
            })
        },
        ..identity()
    }
}

/// What the service itself does about a deletion, after the directory: it must see the row gone empty.
async fn own(tx: &mut Tx, event: Incoming<AccountDeleted>) -> Result<(), Failure> {
    let id = Uuid::try_parse(&event.data.account_id).map_err(Failure::poison)?;
    match find(tx, id).await? {
        Some(person) if person.is_deleted() => Ok(()),
        other => Err(Failure::poison(format!("{other:?}"))),
    }
}

struct Ground {
    app: App,
    identity: Db,
    orders: Db,
}

impl Ground {
    async fn new() -> Self {
        let app = App::of(&[identity(), orders()]).with_vhost().start().await;
        // What is published before the queue stands is not for it.
        eventually(async || !app.vhost().bindings("parlour.orders").await.is_empty()).await;
        let (identity, orders) = (app.database().db("identity"), app.database().db("orders"));
        Self {
            app,
            identity,
            orders,
        }
    }

    async fn tell(&self, account: Uuid, event: impl Event + Send + Sync + 'static) {
        let publishing = async move |tx: &mut Tx| -> Result<(), DbError> {
            parlour_events::publish(tx, format!("account:{account}"), &event)
                .await
                .map(drop)
        };
        self.identity.write(Scope::Service, publishing).await.unwrap();
    }

    async fn find(&self, id: Uuid) -> Option<Person> {
        find(&mut self.orders.conn().await.unwrap(), id).await.unwrap()
    }
}

fn profile(id: Uuid, name: &str) -> ProfileUpdated {
    ProfileUpdated {
        account_id: id.to_string(),
        username: "ana".into(),
        display_name: name.into(),
        first_name: "Ana".into(),
        last_name: "Ruiz".into(),
        avatar_url: "https://example.org/a.png".into(),
        roles: vec!["client".into(), "reader".into()],
        country: "AZ".into(),
        locale: "az".into(),
        time_zone: "Asia/Baku".into(),
        specialities: vec!["tarot".into()],
        status: "active".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_follows_identity() {
    let ground = Ground::new().await;
    let (ana, other, stranger) = (id::new(), id::new(), id::new());
    ground.tell(ana, profile(ana, "Madame A.")).await;
    ground.tell(other, profile(other, "Other")).await;
    let person = eventually(async || ground.find(ana).await).await;
    assert_eq!(
        (
            person.name().as_str(),
            person.time_zone.as_deref(),
            person.version
        ),
        ("Madame A.", Some("Asia/Baku"), 1)
    );
    assert!(person.is(Role::Reader) && !person.is(Role::Admin));
    assert_eq!(person.specialities, ["tarot"]);

    // The event carries the whole: what is empty in it is gone here.
    let less = ProfileUpdated {
        country: String::new(),
        status: "blocked".into(),
        ..profile(ana, "Ana")
    };
    ground.tell(ana, less).await;
    let changed = async || ground.find(ana).await.filter(|person| person.version == 2);
    let person = eventually(changed).await;
    assert_eq!((person.country, person.status.as_str()), (None, "blocked"));

    eventually(async || ground.find(other).await).await;
    let mut conn = ground.orders.conn().await.unwrap();
    let found = find_many(&mut conn, &[ana, other, stranger, ana]).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[&other].name(), "Other");
    assert!(find_many(&mut conn, &[]).await.unwrap().is_empty());
    drop(conn);
    drop(ground.app);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_deleted_account_only_the_id_is_left() {
    let ground = Ground::new().await;
    let (known, unknown) = (id::new(), id::new());
    ground.tell(known, profile(known, "Ana")).await;
    for account in [known, unknown] {
        ground
            .tell(
                account,
                AccountDeleted {
                    account_id: account.to_string(),
                },
            )
            .await;
        let gone = async || ground.find(account).await.filter(Person::is_deleted);
        let person = eventually(gone).await;
        assert_eq!(
            (person.name().as_str(), person.username, person.roles.len()),
            ("", None, 0)
        );
        assert_eq!(
            (person.first_name, person.country, person.locale.as_str()),
            (None, None, "")
        );
    }
    let parked = parlour_events::admin::parked(&ground.orders, 1).await.unwrap();
    assert!(
        parked.is_empty(),
        "the service's own handler ran too, and after: {parked:?}"
    );
    drop(ground.app);
}

#[tokio::test]
async fn an_id_that_is_none_is_parked_at_once() {
    let ground = Ground::new().await;
    ground
        .tell(
            Uuid::nil(),
            ProfileUpdated {
                account_id: "7".into(),
                ..Default::default()
            },
        )
        .await;
    let parked = async || {
        parlour_events::admin::parked(&ground.orders, 1)
            .await
            .unwrap()
            .pop()
    };
    let parked = eventually(parked).await;
    assert_eq!((parked.state.as_str(), parked.attempts), ("parked", 1));
    drop(ground.app);
}

#[tokio::test]
async fn the_migration_goes_up_down_and_up() {
    let database = Database::of(&[orders()]).await;
    let settings = database.settings();
    let admin = database.admin().await;
    let tables = async || -> i64 {
        let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'orders' AND tablename = 'people'";
        admin.query_one(sql, &[]).await.unwrap().get(0)
    };
    assert_eq!(tables().await, 1);
    parlour_db::revert_all(&settings, "orders", vec![MIGRATIONS])
        .await
        .unwrap();
    assert_eq!(tables().await, 0);
    parlour_db::migrate(&settings, "orders", vec![MIGRATIONS])
        .await
        .unwrap();
    assert_eq!(tables().await, 1);
}
