//! The thin edge: authentication, limits, routing, health, documents. One address
//! for frontends, whether the services are in this process or elsewhere. It owns no
//! business rule and no business data.

mod config;
mod edge;
mod front;
mod health;
mod http;
mod merge;
mod plan;
mod prefixes;
mod routing;
mod shared;
mod upstream;

use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parlour_chassis::{Built, Context, Front, FrontFactory, Local, Service};

use crate::config::Settings;
use crate::edge::tls::Certificate;
use crate::front::Edge;
use crate::shared::Shared;
use crate::upstream::probe;

pub use crate::health::{ApiHealth, Platform, Status};

const NAME: &str = "gateway";

/// The gateway.
pub fn service() -> Service {
    Service {
        name: NAME,
        health: None,
        defaults: include_str!("../config.default.toml"),
        migrations: Vec::new,
        has_database: false,
        check: |layers| layers.part::<Settings>(NAME).map(drop),
        routes: http::routes,
        build,
    }
}

fn build(context: Context) -> BoxFuture<'static, anyhow::Result<Built>> {
    Box::pin(async move {
        let settings: Settings = context.config()?;
        let (listen, internal_listen) = (settings.listen, settings.internal_listen);
        let tls = if settings.tls.is_on() {
            let certificate = Certificate::load(&settings.tls)?;
            tokio::spawn(certificate.clone().follow(context.stop.clone()));
            Some(certificate.server()?)
        } else {
            None
        };
        let shared = Arc::new(Shared::new(settings, &context));
        front::count_from_zero();
        // The first request must find the addresses.
        probe::resolve(&shared.pools).await;
        shared.start(&context.stop);
        let mut built = Built::new(shared.clone());
        built.front = Some(FrontFactory {
            listen,
            internal_listen,
            tls,
            make: Arc::new(move |local: &Arc<Local>| -> Rc<dyn Front> {
                Rc::new(Edge::new(shared.clone(), local))
            }),
        });
        Ok(built)
    })
}
