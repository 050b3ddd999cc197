//! How spans get to the collector.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

/// A collector that takes longer has lost these spans.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends on the runtime of the process: the exporter's own thread has none, and the client needs one.
#[derive(Debug)]
pub(crate) struct Sender {
    runtime: Handle,
    client: reqwest::Client,
}

impl Sender {
    /// Of the runtime that `runtime` leads to.
    pub(crate) fn new(runtime: Handle) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { runtime, client })
    }
}

type Sending<'s> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 's>>;

impl HttpClient for Sender {
    fn send_bytes<'s, 'f>(&'s self, request: Request<Bytes>) -> Sending<'f>
    where
        's: 'f,
        Self: 'f,
    {
        let client = self.client.clone();
        let sending = self
            .runtime
            .spawn(async move { client.send_bytes(request).await });
        Box::pin(async move { sending.await? })
    }
}
