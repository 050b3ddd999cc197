//! A push service with browsers behind it: gives out subscriptions as a browser's
//! `PushSubscription` is written in JSON, and reads what is sent to them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Entry, Medium, Outbox};
use crate::channels::webpush::decrypt;

/// Subscriptions that are remembered; the oldest goes first.
const SUBSCRIPTIONS: usize = 1000;

/// The largest content that is taken, as with the push services of browsers.
const CONTENT: usize = 4096;

/// What the double shares.
pub(super) struct Service {
    outbox: Arc<Outbox>,
    browsers: Mutex<VecDeque<Arc<Browser>>>,
}

/// One that has subscribed.
struct Browser {
    id: Uuid,
    pair: PrivateKey,
    auth: [u8; 16],
}

/// What a service worker is given.
#[derive(Deserialize)]
struct Payload {
    title: String,
    body: String,
    #[serde(default)]
    data: Value,
}

impl Service {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox,
            browsers: Mutex::default(),
        }
    }

    fn browsers(&self) -> MutexGuard<'_, VecDeque<Arc<Browser>>> {
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: Uuid) -> Option<Arc<Browser>> {
        self.browsers().iter().find(|browser| browser.id == id).cloned()
    }
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::default().limit(CONTENT))
        .route("/push/subscriptions", web::post().to(subscribe))
        .service(
            web::resource("/push/{id}")
                .route(web::post().to(send))
                .route(web::delete().to(unsubscribe)),
        );
}

async fn subscribe(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let Ok((browser, p256dh)) = browser() else {
        return HttpResponse::InternalServerError().finish();
    };
    let endpoint = format!("http://{}/push/{}", request.app_config().local_addr(), browser.id);
    let keys = json!({ "p256dh": p256dh, "auth": URL_SAFE_NO_PAD.encode(browser.auth) });
    let mut browsers = service.browsers();
    browsers.push_back(Arc::new(browser));
    if browsers.len() > SUBSCRIPTIONS {
        browsers.pop_front();
    }
    HttpResponse::Created().json(json!({ "endpoint": endpoint, "expirationTime": null, "keys": keys }))
}

fn browser() -> Result<(Browser, String), Unspecified> {
    let pair = PrivateKey::generate(&ECDH_P256)?;
    let p256dh = URL_SAFE_NO_PAD.encode(pair.compute_public_key()?.as_ref());
    let mut auth = [0; 16];
    aws_lc_rs::rand::fill(&mut auth)?;
    let id = Uuid::now_v7();
    Ok((Browser { id, pair, auth }, p256dh))
}

async fn unsubscribe(id: web::Path<Uuid>, service: web::Data<Service>) -> HttpResponse {
    service.browsers().retain(|browser| browser.id != *id);
    HttpResponse::NoContent().finish()
}

async fn send(
    request: HttpRequest,
    id: web::Path<Uuid>,
    service: web::Data<Service>,
    content: web::Bytes,
) -> HttpResponse {
    let Some(browser) = service.find(*id) else {
        return HttpResponse::Gone().body("unsubscribed");
    };
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if !text(AUTHORIZATION.as_str()).is_some_and(|value| value.starts_with("vapid t=")) {
        return HttpResponse::Unauthorized().body("no VAPID token");
    }
    if text("content-encoding") != Some("aes128gcm") || text("ttl").is_none() {
        return HttpResponse::BadRequest().body("TTL and the encoding aes128gcm are needed");
    }
    let Ok(content) = decrypt(&browser.pair, &browser.auth, &content) else {
        return HttpResponse::BadRequest().body("not for this browser");
    };
    let Ok(payload) = serde_json::from_slice::<Payload>(&content) else {
        return HttpResponse::BadRequest().body("not what the service worker reads");
    };
    let shown = ["ttl", "urgency", "topic"];
    let headers = shown
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), text(name)?.to_owned())));
    let entry = Entry {
        to: id.to_string(),
        subject: Some(payload.title),
        text: payload.body,
        data: payload.data,
        html: None,
        headers: headers.collect::<BTreeMap<_, _>>(),
        at: chrono::Utc::now().into(),
    };
    match service.outbox.add(Medium::Push, entry).await {
        Ok(()) => HttpResponse::Created().finish(),
        Err(_) => HttpResponse::InternalServerError().body("the outbox cannot be written"),
    }
}
