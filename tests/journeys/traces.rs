//! One trace from the gateway to the socket, read from what a collector of OTLP receives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use parlour_testkit::eventually;
use prost::Message as _;

use crate::apart::{Apart, order};
use crate::searching::hex;

/// A span, as far as it matters here.
#[derive(Clone, Debug)]
struct Span {
    process: String,
    name: String,
    trace: String,
    id: String,
    parent: String,
}

/// A collector that keeps the spans it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Where it listens from now on.
    fn listen(&self) -> SocketAddr {
        let spans = self.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(spans.clone()))
                .app_data(web::PayloadConfig::new(16 << 20))
                .route("/v1/traces", web::post().to(receive))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let address = server.addrs()[0];
        tokio::spawn(server.run());
        address
    }

    fn of(&self, trace: &str) -> Vec<Span> {
        let spans = self.0.lock().unwrap();
        spans.iter().filter(|span| span.trace == trace).cloned().collect()
    }
}

async fn receive(collector: web::Data<Collector>, body: web::Bytes) -> HttpResponse {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return HttpResponse::BadRequest().finish();
    };
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap_or_default().attributes;
        let named = attributes.into_iter().find(|a| a.key == "service.name");
        let process = match named.and_then(|a| a.value?.value) {
            Some(Value::StringValue(name)) => name,
            other => panic!("a process without a name: {other:?}"),
        };
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            collector.0.lock().unwrap().push(Span {
                process: process.clone(),
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
            });
        }
    }
    HttpResponse::Ok().content_type("application/x-protobuf").finish()
}

/// From a span to the beginning: what each is called, and in which process.
fn way_back<'s>(spans: &'s [Span], from: &'s Span) -> Vec<(&'s str, &'s str)> {
    let mut way = vec![(from.process.as_str(), from.name.as_str())];
    let mut at = from;
    while let Some(parent) = spans.iter().find(|span| span.id == at.parent) {
        way.push((parent.process.as_str(), parent.name.as_str()));
        at = parent;
    }
    way
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_gateway_through_sql_outbox_broker_and_consumer_to_the_socket() {
    let collector = Collector::default();
    let endpoint = format!("http://{}", collector.listen());
    let apart = Apart::start(&[("PARLOUR__TELEMETRY__OTLP_ENDPOINT", endpoint)]).await;
    let admin = apart.person("admin").await;
    let client = apart.person("client").await;
    let service = apart.offer(&admin).await;
    let mut socket = apart.socket(&client).await;

    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let beginning = "00f067aa0ba902b7";
    let parent = format!("00-{trace}-{beginning}-01");
    order(&apart.by(&client), &service, Some(&parent)).await;
    socket.hears(r#"42["notification""#).await;

    // The exporter sends in batches.
    let (spans, push) = eventually(async || {
        let spans = collector.of(trace);
        match spans.iter().find(|span| span.name == "push notification") {
            Some(push) if way_back(&spans, push).len() > 5 => Ok((spans.clone(), push.clone())),
            _ => Err(spans),
        }
    })
    .await;
    assert_eq!(
        way_back(&spans, &push),
        [
            ("parlour-chat", "push notification"),
            ("parlour-notify", "BEGIN"),
            ("parlour-notify", "event"),
            ("parlour-orders", "WRITE"),
            ("parlour-orders", "POST /api/orders"),
            ("parlour-gateway", "POST /api/orders"),
        ],
        "{spans:#?}"
    );
    let first = spans
        .iter()
        .find(|span| span.process == "parlour-gateway")
        .unwrap();
    assert_eq!(first.parent, beginning, "the client's own span is the beginning");
    apart.stop().await;
}
