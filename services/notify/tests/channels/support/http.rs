//! HTTP servers that keep what they were asked.

use std::sync::Arc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    /// A header's value; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as form fields.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// A form field's value; empty when it is not there.
    pub(crate) fn field(&self, name: &str) -> String {
        let found = self.form().into_iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value).unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Serves on a free port until the test ends. Every request is kept and then answered by `answer`.
pub(crate) async fn serve(
    answer: impl Fn(&Recorded) -> HttpResponse + Send + Sync + 'static,
) -> (String, UnboundedReceiver<Recorded>) {
    let (keep, kept) = mpsc::unbounded_channel();
    let answer = Arc::new(answer);
    let server = HttpServer::new(move || {
        let (keep, answer) = (keep.clone(), answer.clone());
        App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
            let (keep, answer) = (keep.clone(), answer.clone());
            async move {
                let headers = request.headers().iter();
                let recorded = Recorded {
                    method: request.method().to_string(),
                    path: request.path().to_owned(),
                    query: request.query_string().to_owned(),
                    headers: headers
                        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                        .collect(),
                    body: body.to_vec(),
                };
                let response = answer(&recorded);
                // A test that has seen enough keeps no more.
                let _ = keep.send(recorded);
                response
            }
        }))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let base = format!("http://{}", server.addrs()[0]);
    tokio::spawn(server.run());
    (base, kept)
}

/// A server that answers 200 to everything.
pub(crate) async fn recorder() -> (String, UnboundedReceiver<Recorded>) {
    serve(|_| HttpResponse::Ok().finish()).await
}

/// An answer with this status and JSON.
pub(crate) fn json(status: u16, body: Value) -> HttpResponse {
    HttpResponse::build(status.try_into().unwrap()).json(body)
}
