//! The way of files to media, over its HTTP interface and in the name of who sends them.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use parlour_http::ApiError;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::error::Error;
use crate::sending::File;
use crate::settings::Settings;

/// Media, as chat reaches it, and the places for files in memory. Cheap to clone.
#[derive(Clone)]
pub struct Uploads {
    client: reqwest::Client,
    base: Arc<str>,
    places: Arc<Semaphore>,
}

/// A file on its way.
pub struct Upload<'u> {
    /// Where media takes it.
    pub path: &'u str,
    /// The name of the form's field.
    pub field: &'u str,
    /// The file's own name.
    pub name: &'u str,
    /// What is in it.
    pub bytes: Bytes,
    /// The token of who sends it.
    pub token: &'u str,
    /// Their idempotency key.
    pub key: Option<&'u str>,
}

impl Uploads {
    /// Connects when first used.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(settings.media_seconds))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            base: settings.media_url.trim_end_matches('/').into(),
            places: Arc::new(Semaphore::new(settings.upload_slots)),
        })
    }

    /// A place for a file in memory, if one is free.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// Takes a file to media. What media refuses is refused in media's words.
    pub async fn send(&self, upload: Upload<'_>) -> Result<(File, Value), Error> {
        let boundary = format!("parlour-{}", Uuid::now_v7().simple());
        let mut request = self
            .client
            .post(format!("{}{}", self.base, upload.path))
            .header(AUTHORIZATION, format!("Bearer {}", upload.token))
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .body(body(&upload, &boundary));
        if let Some(key) = upload.key {
            request = request.header("idempotency-key", key);
        }
        let away = |error: reqwest::Error| Error::from(ApiError::unavailable().with_cause(error));
        let answer = request.send().await.map_err(away)?;
        let status = answer.status().as_u16();
        let told: Value = answer.json().await.map_err(away)?;
        if status >= 300 {
            return Err(refusal(status, &told).into());
        }
        let text = |name: &str| {
            told.pointer(&format!("/data/file/{name}"))
                .and_then(Value::as_str)
        };
        let (Some(id), Some(name), Some(size)) = (
            text("id").and_then(|id| Uuid::try_parse(id).ok()),
            text("name"),
            told.pointer("/data/file/size").and_then(Value::as_i64),
        ) else {
            return Err(ApiError::unavailable()
                .with_cause("media answered without a file")
                .into());
        };
        let stored = File {
            id,
            name: name.to_owned(),
            size,
        };
        Ok((stored, told.pointer("/data/file").cloned().unwrap_or_default()))
    }
}

/// The form. Names in it have no quotes and no line ends.
fn body(upload: &Upload<'_>, boundary: &str) -> Vec<u8> {
    let plain = |c: &char| !c.is_control() && *c != '"' && *c != '\\';
    let name: String = upload.name.chars().filter(plain).take(200).collect();
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n",
        upload.field
    );
    let mut body = Vec::with_capacity(upload.bytes.len() + head.len() + 64);
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(&upload.bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

/// What media said, as ours. What is its own trouble, or ours with it, is only not available.
fn refusal(status: u16, told: &Value) -> ApiError {
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let code = text("code").unwrap_or_default();
    let (Ok(status), false) = (
        StatusCode::from_u16(status),
        status >= 500 || status == 404 || code.is_empty(),
    ) else {
        return ApiError::unavailable().with_cause(format!("media answered {status} {code}"));
    };
    let message = text("error").unwrap_or("The file was refused.");
    let details = told
        .get("details")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let details = details.filter_map(Value::as_str).map(ToOwned::to_owned);
    ApiError::new(status, code.to_owned(), message.to_owned()).with_details(details.collect())
}
