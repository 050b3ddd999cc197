//! `/api/chat/keys…`

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parlour_db::{Scope, Tx};
use parlour_events::Batch;
use parlour_http::{
    ApiError, Call, Check, Extract, Json, Once, Origin, Problems, RateClass, Reply, Routes, State, Success,
    User,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Chat;
use crate::store::keys::{self, Device, Handed};
use crate::telling;

/// Devices that a person may have.
const MOST_DEVICES: i64 = 10;
/// One-time prekeys of a device that may wait to be handed out.
const MOST_PREKEYS: i64 = 500;
/// Bytes of a key.
const LARGEST_KEY: usize = 2048;

/// Routes below `/api/chat/keys`.
pub fn routes() -> Routes {
    Routes::of(crate::NAME)
        .add::<__path_publish_keys, _, _, _>(RateClass::Chat, publish_keys)
        .add::<__path_fetch_keys, _, _, _>(RateClass::Chat, fetch_keys)
}

/// A key that was signed with the identity key.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedPrekey {
    /// Its number on the device.
    #[schema(minimum = 0)]
    pub id: i64,
    /// Base64.
    #[schema(min_length = 4, max_length = 2732)]
    pub key: String,
    /// Base64.
    #[schema(min_length = 4, max_length = 2732)]
    pub signature: String,
}

/// A key that is handed out once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OneTimePrekey {
    /// Its number on the device.
    #[schema(minimum = 0)]
    pub id: i64,
    /// Base64.
    #[schema(min_length = 4, max_length = 2732)]
    pub key: String,
}

/// The public keys of a device.
#[derive(Debug, Deserialize, ToSchema)]
pub struct KeyBundle {
    /// Your name for the device.
    #[schema(min_length = 1, max_length = 64)]
    pub device_id: String,
    /// Base64.
    #[schema(min_length = 4, max_length = 2732)]
    pub identity_key: String,
    /// The key of the weeks to come.
    pub signed_prekey: SignedPrekey,
    /// Keys that are handed out once each, added to those that are there.
    #[schema(max_items = 100)]
    pub one_time_prekeys: Option<Vec<OneTimePrekey>>,
}

/// What `text` says in base64.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (1..=LARGEST_KEY).contains(&bytes.len()).then_some(bytes)
}

impl Check for KeyBundle {
    fn check(&self, problems: &mut Problems) {
        let mut key = |name: &str, text: &str| {
            problems.require(decoded(text).is_some(), name, "must be base64 of 1 to 2048 bytes");
        };
        key("identity_key", &self.identity_key);
        key("signed_prekey.key", &self.signed_prekey.key);
        key("signed_prekey.signature", &self.signed_prekey.signature);
        for (index, prekey) in self.one_time_prekeys.iter().flatten().enumerate() {
            key(&format!("one_time_prekeys[{index}].key"), &prekey.key);
        }
        let blank = self.device_id.trim().is_empty();
        problems.require(!blank, "device_id", "must not be blank");
    }
}

/// What is published now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Published {
    /// The device.
    pub device_id: String,
    /// One-time prekeys that can be handed out.
    pub one_time_prekeys: i64,
}

/// Publishes the public keys of one of my devices
///
/// A one-time prekey whose number was published before is left out. Another identity key
/// makes it another device: what was published of the former one goes.
#[utoipa::path(
    put, path = "/api/chat/keys", tag = "e2ee", request_body = KeyBundle,
    responses((status = 200, description = "What is published.", body = Success<Published>))
)]
pub async fn publish_keys(
    user: User,
    state: State<Chat>,
    origin: Origin,
    Json(body): Json<KeyBundle>,
    once: Once,
) -> Result<Reply, ApiError> {
    let me = user.id;
    once.write(
        Scope::Person(me),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            keys::take_turns(tx, me).await?;
            if keys::other_devices(tx, me, &body.device_id).await? >= MOST_DEVICES {
                return Err(Error::Conflict("You have keys on ten devices already."));
            }
            let device = Device {
                identity_key: decoded(&body.identity_key).unwrap_or_default(),
                signed_prekey_id: body.signed_prekey.id,
                signed_prekey: decoded(&body.signed_prekey.key).unwrap_or_default(),
                signature: decoded(&body.signed_prekey.signature).unwrap_or_default(),
                device_id: body.device_id,
            };
            keys::keep(tx, me, &device, state.now()).await?;
            let prekeys = body.one_time_prekeys.unwrap_or_default();
            let (ids, keys): (Vec<i64>, Vec<Vec<u8>>) = prekeys
                .iter()
                .map(|prekey| (prekey.id, decoded(&prekey.key).unwrap_or_default()))
                .unzip();
            let count = keys::add_prekeys(tx, me, &device.device_id, (&ids, &keys)).await?;
            if count > MOST_PREKEYS {
                return Err(Error::Conflict("This device has 500 one-time prekeys already."));
            }
            let target = ("device", device.device_id.clone());
            let line = telling::entry(&origin, "keys.publish", target, (None, None));
            Batch::default().audit(line).write(tx).await?;
            Ok(Reply::ok(Published {
                device_id: device.device_id,
                one_time_prekeys: count,
            })?)
        },
    )
    .await
}

/// The `{user_id}` of the path.
pub struct UserId(pub Uuid);

impl Extract for UserId {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let found = call.params.iter().find(|(name, _)| name == "user_id");
        let text = found.map_or("", |(_, value)| value.as_str());
        Uuid::try_parse(text)
            .map(UserId)
            .map_err(|_| ApiError::field("user_id", "must be a UUID"))
    }
}

/// The public keys of a device, with one of its one-time prekeys.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeviceKeys {
    /// The device.
    pub device_id: String,
    /// Base64.
    pub identity_key: String,
    /// The key of these weeks.
    pub signed_prekey: SignedPrekey,
    /// A key that nobody else gets; null when none is left.
    pub one_time_prekey: Option<OneTimePrekey>,
}

/// The public keys of a person's devices.
#[derive(Debug, Serialize, ToSchema)]
pub struct Devices {
    /// None for somebody who has published nothing.
    pub devices: Vec<DeviceKeys>,
}

impl From<Handed> for DeviceKeys {
    fn from((device, prekey): Handed) -> Self {
        Self {
            device_id: device.device_id,
            identity_key: STANDARD.encode(device.identity_key),
            signed_prekey: SignedPrekey {
                id: device.signed_prekey_id,
                key: STANDARD.encode(device.signed_prekey),
                signature: STANDARD.encode(device.signature),
            },
            one_time_prekey: prekey.map(|(id, key)| OneTimePrekey {
                id,
                key: STANDARD.encode(key),
            }),
        }
    }
}

/// The public keys of a person's devices
///
/// Uses up one one-time prekey of each.
#[utoipa::path(
    get, path = "/api/chat/keys/{user_id}", tag = "e2ee",
    params(("user_id" = Uuid, Path, description = "Whose.")),
    responses((status = 200, description = "The keys.", body = Success<Devices>))
)]
pub async fn fetch_keys(user: User, state: State<Chat>, UserId(whose): UserId) -> Result<Reply, ApiError> {
    let now = state.now();
    let handed = state
        .db
        .write(
            Scope::Person(user.id),
            async move |tx: &mut Tx| -> Result<_, Error> { Ok(keys::hand_out(tx, whose, now).await?) },
        )
        .await?;
    Reply::ok(Devices {
        devices: handed.into_iter().map(DeviceKeys::from).collect(),
    })
}
