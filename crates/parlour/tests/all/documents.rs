//! `docs/EVENTS.md` and `docs/asyncapi.yaml` say what is.

use std::path::Path;

use parlour::services;
use parlour_chassis::{Context, DEFAULTS, Service};
use parlour_config::Layers;
use parlour_events::docs::{self, Registered};
use parlour_testkit::Database;

use crate::desk::configuration;

/// Nothing listens there, and nothing connects before a service runs.
const NO_BROKER: &str = "amqp://127.0.0.1:1/none";

/// What the services really register: each is put together as a process would, and not started.
async fn registered() -> Vec<Registered> {
    let with_events: Vec<Service> = services::all().into_iter().filter(|s| s.has_database).collect();
    let database = Database::of(&with_events).await;
    let folder = tempfile::tempdir().unwrap();
    let engines = format!(
        "database.url = '{}'\ndevelopment.outbox = '{}'\n{}",
        database.url(None),
        folder.path().display(),
        configuration(NO_BROKER),
    );
    let mut registered = Vec::new();
    for service in with_events {
        let layers = Layers::fixed(&[DEFAULTS, service.defaults, &engines], &[]).unwrap();
        let context = Context::offline(service.name, layers).unwrap();
        let built = (service.build)(context).await.unwrap();
        registered.extend(built.consumer.as_ref().map(Registered::from));
    }
    registered
}

#[tokio::test(flavor = "multi_thread")]
async fn the_committed_documents_are_what_the_services_do() {
    let registered = registered().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (name, content) in [
        ("EVENTS.md", docs::markdown(&registered)),
        ("asyncapi.yaml", docs::asyncapi(&registered)),
    ] {
        let path = folder.join(name);
        if std::env::var_os("PARLOUR_WRITE_DOCS").is_some() {
            std::fs::write(&path, &content).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == content,
            "docs/{name} is not what proto/ and the consumers give: run `{}`",
            docs::REGENERATE,
        );
    }
}
