//! `POST /api/notifications/push/subscriptions`, `DELETE /api/notifications/push/subscriptions/{id}`

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success, User,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Nothing;
use crate::dispatch::PushAddress;
use crate::error::Error;
use crate::state::Notify;
use crate::store::subscriptions::{self, NewSubscription};

/// Browsers and devices of one person at the most; the oldest makes room.
const MOST: i64 = 20;

/// Registers the routes.
pub fn route(routes: Routes) -> Routes {
    routes
        .add::<__path_subscribe, _, _, _>(RateClass::General, subscribe)
        .add::<__path_unsubscribe, _, _, _>(RateClass::General, unsubscribe)
}

/// A browser's push subscription, as `PushSubscription.toJSON()` gives it, or a device's token.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Subscribe {
    /// The push service's URL of a Web Push subscription.
    #[schema(min_length = 1, max_length = 2000)]
    pub endpoint: Option<String>,
    /// The keys of a Web Push subscription.
    pub keys: Option<SubscriptionKeys>,
    /// A registration token of Firebase Cloud Messaging.
    #[schema(min_length = 1, max_length = 4096)]
    pub token: Option<String>,
    /// What the person calls the browser or device.
    #[schema(max_length = 200)]
    pub device: Option<String>,
}

/// The keys of a Web Push subscription, base64url.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SubscriptionKeys {
    /// The browser's public key: an uncompressed point of P-256.
    #[schema(max_length = 200)]
    pub p256dh: String,
    /// The browser's secret, 16 bytes.
    #[schema(max_length = 100)]
    pub auth: String,
}

impl Check for Subscribe {
    fn check(&self, problems: &mut Problems) {
        match (&self.endpoint, &self.token) {
            (Some(endpoint), None) => {
                let secure = Url::parse(endpoint)
                    .is_ok_and(|url| url.scheme() == "https" && url.has_host() && url.username().is_empty());
                problems.require(secure, "endpoint", "must be an https URL");
                match &self.keys {
                    None => problems.add("keys", "is required with an endpoint"),
                    Some(keys) => {
                        let point = decode(&keys.p256dh)
                            .is_some_and(|key| key.len() == 65 && key.first() == Some(&4));
                        problems.require(
                            point,
                            "keys.p256dh",
                            "must be an uncompressed point of P-256, base64url",
                        );
                        let secret = decode(&keys.auth).is_some_and(|secret| secret.len() == 16);
                        problems.require(secret, "keys.auth", "must be 16 bytes, base64url");
                    }
                }
            }
            (None, Some(token)) => {
                let fine = token.bytes().all(|byte| byte.is_ascii_graphic());
                problems.require(fine, "token", "must be visible ASCII characters");
            }
            _ => problems.add("endpoint", "give either endpoint with keys or token"),
        }
    }
}

/// Browsers leave the padding out; some libraries do not, and some use the other alphabet.
fn decode(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    URL_SAFE_NO_PAD.decode(plain).ok()
}

impl Subscribe {
    /// The kind of address, the address, and the text that tells it from others.
    fn address(self) -> Option<(&'static str, PushAddress, String)> {
        if let Some(token) = self.token {
            return Some(("fcm", PushAddress::Fcm { token: token.clone() }, token));
        }
        let (endpoint, keys) = (self.endpoint?, self.keys?);
        let address = PushAddress::WebPush {
            endpoint: endpoint.clone(),
            p256dh: URL_SAFE_NO_PAD.encode(decode(&keys.p256dh)?),
            auth: URL_SAFE_NO_PAD.encode(decode(&keys.auth)?),
        };
        Some(("web_push", address, endpoint))
    }
}

/// A registered browser or device.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionView {
    /// Its id, to remove it.
    pub id: Uuid,
    /// `web_push` or `fcm`.
    pub kind: &'static str,
    /// What the person calls it.
    pub device: Option<String>,
}

/// `{subscription}`
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriptionData {
    /// The browser or device.
    pub subscription: SubscriptionView,
}

/// Registers a browser or device for push messages
///
/// The same address again replaces what was registered, also when somebody else did: whoever is signed in
/// to a browser gets its messages. The oldest of more than 20 is dropped.
#[utoipa::path(
    post, path = "/api/notifications/push/subscriptions", tag = "notifications", request_body = Subscribe,
    responses((status = 201, description = "It is registered.", body = Success<SubscriptionData>))
)]
pub async fn subscribe(
    user: User,
    state: State<Notify>,
    origin: Origin,
    Json(body): Json<Subscribe>,
    once: Once,
) -> Result<Reply, ApiError> {
    let device = body.device.clone();
    let Some((kind, address, fingerprint)) = body.address() else {
        return Err(ApiError::field(
            "endpoint",
            "give either endpoint with keys or token",
        ));
    };
    let id = id::new();
    let plain = serde_json::to_vec(&address).map_err(ApiError::internal)?;
    let new = NewSubscription {
        id,
        account_id: user.id,
        kind,
        address_sealed: state.vault.seal(&subscriptions::place(id), &plain)?,
        address_index: state.vault.blind_index("subscriptions.address", &fingerprint),
        device: device.clone(),
        created_at: state.clock.now(),
    };
    let (shared, caller) = (state.0.clone(), user.0);
    // The former owner's row may have to go, which the person themselves cannot see.
    once.write(Scope::Service, async move |tx: &mut Tx| -> Result<Reply, Error> {
        subscriptions::put(tx, &new).await?;
        if subscriptions::count(tx, caller.id).await? > MOST {
            subscriptions::drop_oldest(tx, caller.id).await?;
        }
        let target = ("push_subscription", id.to_string());
        let after = json!({ "kind": kind });
        shared
            .audit(tx, &origin, "push_subscription.created", target, Some(after))
            .await?;
        let subscription = SubscriptionView { id, kind, device };
        Ok(Reply::created(SubscriptionData { subscription })?)
    })
    .await
}

/// Removes a browser or device of mine
#[utoipa::path(
    delete, path = "/api/notifications/push/subscriptions/{id}", tag = "notifications",
    params(("id" = Uuid, Path, description = "The subscription.")),
    responses((status = 200, description = "It gets nothing any more.", body = Success<Nothing>))
)]
pub async fn unsubscribe(
    user: User,
    state: State<Notify>,
    origin: Origin,
    PathId(id): PathId,
) -> Result<Reply, ApiError> {
    let (shared, caller, account) = (state.0.clone(), user.0.clone(), user.id);
    let work = async move |tx: &mut Tx| -> Result<(), Error> {
        if !subscriptions::delete(tx, caller.id, id).await? {
            return Err(Error::NotFound);
        }
        let target = ("push_subscription", id.to_string());
        shared
            .audit(tx, &origin, "push_subscription.deleted", target, None)
            .await
    };
    state.db.write(Scope::Person(account), work).await?;
    Reply::said(Nothing {}, "The subscription is removed.")
}
