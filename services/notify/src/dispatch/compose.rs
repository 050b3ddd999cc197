//! From a delivery that is due to what a channel is given, or why it is not sent after all.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlour_db::Tx;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::words;
use crate::channels::{Address, Content as Words, Outgoing};
use crate::domain::reason::{Chosen, Reason};
use crate::domain::{Channel, Priority};
use crate::error::Error;
use crate::rules::Rules;
use crate::state::Notify;
use crate::store::contents::Content;
use crate::store::deliveries::NewMail;
use crate::store::due::Due;
use crate::store::notifications::{self, Notification};
use crate::store::{digests, subscriptions};
use crate::telling::gone;
use crate::view;

/// Titles that a digest lists; of the others it says how many they are.
const LISTED: i64 = 20;

/// A claimed delivery and what belongs to it.
pub(super) struct Letter {
    pub(super) due: Due,
    pub(super) rules: Arc<Rules>,
    pub(super) digest: Option<Digest>,
}

/// What a digest tells.
pub(super) struct Digest {
    pub(super) size: i64,
    pub(super) members: Vec<Notification>,
}

/// What comes of a letter.
pub(super) enum Composed {
    Skip(Reason),
    Push(Value),
    Message(Box<Outgoing>),
}

/// What a requested mail keeps sealed until it is sent.
#[derive(Serialize, Deserialize)]
pub(crate) struct Mail {
    pub(crate) address: String,
    pub(crate) locale: String,
    pub(crate) data: Map<String, Value>,
}

/// Where a push subscription leads, as it is sealed.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum PushAddress {
    WebPush {
        endpoint: String,
        p256dh: String,
        auth: String,
    },
    Fcm {
        token: String,
    },
}

/// Loads what a digest tells.
pub(super) async fn letter(tx: &mut Tx, rules: Arc<Rules>, due: Due) -> Result<Letter, Error> {
    let mut digest = None;
    if due.is_digest {
        let ids = digests::members(tx, due.id, LISTED).await?;
        digest = Some(Digest {
            size: digests::size(tx, due.id).await?,
            members: notifications::by_ids(tx, &ids).await?,
        });
    }
    Ok(Letter { due, rules, digest })
}

/// Puts it together.
pub(super) fn compose(notify: &Notify, channel: Channel, letter: &Letter) -> Result<Composed, Error> {
    if let Some(reason) = too_late(notify, channel, letter) {
        return Ok(Composed::Skip(reason));
    }
    if let Some(sealed) = &letter.due.mail_sealed {
        let plain = notify.vault.open(&NewMail::place(letter.due.id), sealed)?;
        let mail: Mail = serde_json::from_slice(&plain).map_err(|_| parlour_vault::VaultError::Damaged)?;
        let said = words::of_mail(notify, letter, &mail)?;
        let to = Address::Email(mail.address.into());
        return Ok(Composed::Message(Box::new(outgoing(
            letter,
            to,
            said,
            Value::Object(mail.data),
        ))));
    }
    let Some(notification) = letter.due.notification.clone() else {
        return Ok(Composed::Skip(Reason::Deleted));
    };
    if channel == Channel::Socket {
        let item = view::Item::open(&notify.vault, notification)?;
        return Ok(Composed::Push(serde_json::to_value(item).unwrap_or_default()));
    }
    let Some(to) = address(notify, channel, &letter.due)? else {
        return Ok(Composed::Skip(Reason::NoAddress));
    };
    let content = view::content_of(&notify.vault, &notification)?;
    let said = match words::digest_of(notify, letter)? {
        Some(items) => words::of_digest(notify, channel, letter, &content, &items)?,
        None => words::of_notification(notify, channel, letter, &content)?,
    };
    Ok(Composed::Message(Box::new(outgoing(
        letter,
        to,
        said,
        data(&content, notification.id),
    ))))
}

/// Whether there is a reason by now not to send it.
fn too_late(notify: &Notify, channel: Channel, letter: &Letter) -> Option<Reason> {
    let due = &letter.due;
    let insists = [Chosen::Required.name(), Chosen::Mail.name()].contains(&due.chosen.as_str());
    if due.expires_at.is_some_and(|at| at <= notify.clock.now()) {
        return Some(Reason::Expired);
    }
    let single = letter.digest.is_none();
    if due.is_deleted && single {
        return Some(Reason::Deleted);
    }
    if let Some(reason) = gone(&due.person.status)
        && !insists
    {
        return Some(reason);
    }
    // It waited while the person read it, or acknowledged the emergency.
    let waited = due.reason.as_deref() == Some(Reason::QuietHours.name());
    let emergency = due.priority == Priority::Emergency.name();
    let is_read = due.notification.as_ref().is_some_and(|n| n.read_at.is_some());
    if is_read && single && (waited || emergency) {
        return Some(Reason::Read);
    }
    let many = due.sent_lately >= notify.settings.hourly.of(channel);
    (many && !insists && !emergency).then_some(Reason::Rate)
}

fn address(notify: &Notify, channel: Channel, due: &Due) -> Result<Option<Address>, Error> {
    let open = |kind: &str, sealed: &Option<Vec<u8>>| {
        let place = format!("contact.{kind}:{}", due.account_id);
        let opened = sealed
            .as_deref()
            .map(|sealed| notify.contacts.open_text(&place, sealed));
        opened.transpose().map(|text| text.map(SecretString::from))
    };
    Ok(match channel {
        Channel::Socket => None,
        Channel::Email => open("email", &due.email_sealed)?.map(Address::Email),
        Channel::Sms => open("phone", &due.phone_sealed)?.map(Address::Phone),
        Channel::Push => match &due.subscription {
            Some((_, sealed)) => Some(push_address(notify, due.target, sealed)?),
            None => None,
        },
    })
}

fn push_address(notify: &Notify, id: Uuid, sealed: &[u8]) -> Result<Address, Error> {
    let damaged = |_| parlour_vault::VaultError::Damaged;
    let plain = notify.vault.open(&subscriptions::place(id), sealed)?;
    let address: PushAddress =
        serde_json::from_slice(&plain).map_err(|_| parlour_vault::VaultError::Damaged)?;
    Ok(match address {
        PushAddress::Fcm { token } => Address::Device(token.into()),
        PushAddress::WebPush {
            endpoint,
            p256dh,
            auth,
        } => Address::WebPush {
            endpoint: endpoint.into(),
            p256dh: URL_SAFE_NO_PAD.decode(p256dh).map_err(damaged)?,
            auth: URL_SAFE_NO_PAD.decode(auth).map_err(damaged)?,
        },
    })
}

fn outgoing(letter: &Letter, to: Address, content: Words, data: Value) -> Outgoing {
    let due = &letter.due;
    Outgoing {
        delivery_id: due.id,
        notification_id: due.notification_id.unwrap_or(due.id),
        kind: due.kind.clone(),
        priority: Priority::named(&due.priority).unwrap_or(Priority::Normal),
        expires_at: due.expires_at,
        to,
        content,
        data,
    }
}

/// The notification's data and which one it is.
fn data(content: &Content, id: Uuid) -> Value {
    let mut data = content.data.clone();
    data.insert("notification_id".to_owned(), Value::from(id.to_string()));
    Value::Object(data)
}
