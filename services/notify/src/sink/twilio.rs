//! The double of Twilio's Messages API. It takes any account, and answers the numbers that
//! Twilio sets aside for tests as Twilio does. Status callbacks are posted back, signed
//! with the password that was given, as Twilio signs with the account's token.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{Entry, Medium, Outbox};
use crate::channels::twilio::{DATA_FIELD, sign};

/// The longest text that Twilio takes, in characters.
const TEXT: usize = 1600;

/// The largest form.
const FORM: usize = 1024 * 1024;

/// Callbacks on their way at the same time.
const CALLBACKS: usize = 16;

/// What the double shares.
pub(super) struct Double {
    outbox: Arc<Outbox>,
    client: reqwest::Client,
    callbacks: Arc<Semaphore>,
}

impl Double {
    pub(super) fn new(outbox: Arc<Outbox>) -> anyhow::Result<Self> {
        Ok(Self {
            outbox,
            client: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(Duration::from_secs(5))
                .build()?,
            callbacks: Arc::new(Semaphore::new(CALLBACKS)),
        })
    }
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.app_data(web::FormConfig::default().limit(FORM)).route(
        "/2010-04-01/Accounts/{account}/Messages.json",
        web::post().to(create),
    );
}

async fn create(
    request: HttpRequest,
    account: web::Path<String>,
    double: web::Data<Double>,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let Some(password) = password(&request) else {
        return refused(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    };
    let mut fields: BTreeMap<String, String> = form.into_inner().into_iter().collect();
    let data = fields.remove(DATA_FIELD);
    let to = fields.get("To").cloned().unwrap_or_default();
    let text = fields.get("Body").cloned().unwrap_or_default();
    if let Some((code, words)) = fault(&fields, &to, &text) {
        return refused(StatusCode::BAD_REQUEST, code, &words);
    }
    let entry = Entry {
        to: to.clone(),
        subject: None,
        text: text.clone(),
        data: data
            .and_then(|data| serde_json::from_str(&data).ok())
            .unwrap_or(Value::Null),
        html: None,
        headers: fields.clone(),
        at: chrono::Utc::now().into(),
    };
    if double.outbox.add(Medium::Sms, entry).await.is_err() {
        return refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            20500,
            "The outbox cannot be written",
        );
    }
    let sid = format!("SM{}", Uuid::now_v7().simple());
    let from = fields.get("From").cloned();
    if let Some(url) = fields.remove("StatusCallback") {
        let report = Report {
            url,
            sid: sid.clone(),
            account: account.clone(),
            from: from.clone().unwrap_or_default(),
            to: to.clone(),
        };
        report_back(&double, report, password);
    }
    let account = account.into_inner();
    HttpResponse::Created().json(json!({
        "account_sid": account, "api_version": "2010-04-01", "body": text,
        "date_created": chrono::Utc::now().to_rfc2822(), "direction": "outbound-api",
        "error_code": null, "error_message": null, "from": from,
        "messaging_service_sid": fields.get("MessagingServiceSid"), "num_segments": "1",
        "sid": sid, "status": "queued", "to": to,
        "uri": format!("/2010-04-01/Accounts/{account}/Messages/{sid}.json"),
    }))
}

/// The password of HTTP's basic authentication.
fn password(request: &HttpRequest) -> Option<SecretString> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    (!user.is_empty() && !password.is_empty()).then(|| password.into())
}

/// What Twilio would find wrong, by its code.
fn fault(fields: &BTreeMap<String, String>, to: &str, text: &str) -> Option<(u32, String)> {
    let is_number = to
        .strip_prefix('+')
        .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()));
    let (code, words) = match to {
        "" => (21604, "A 'To' phone number is required".to_owned()),
        "+15005550002" => (21612, format!("'To' number {to} cannot be routed to")),
        "+15005550003" => (21408, format!("No permission for the region of {to}")),
        "+15005550004" => (21610, format!("{to} has unsubscribed")),
        "+15005550009" => (21614, format!("'To' number {to} is not a mobile number")),
        _ if !is_number || to == "+15005550001" => (21211, format!("'To' number {to} is not valid")),
        _ if !fields.contains_key("From") && !fields.contains_key("MessagingServiceSid") => {
            (21603, "A 'From' phone number is required".to_owned())
        }
        _ if text.is_empty() => (21602, "A message body is required".to_owned()),
        _ if text.chars().count() > TEXT => (21617, "The body is over 1600 characters".to_owned()),
        _ => return None,
    };
    Some((code, words))
}

fn refused(status: StatusCode, code: u32, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({
        "code": code, "message": message, "status": status.as_u16(),
        "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
    }))
}

/// A status callback to come.
struct Report {
    url: String,
    sid: String,
    account: String,
    from: String,
    to: String,
}

/// Posts `sent` and then `delivered`. Nobody waits for it, and like Twilio's it may be lost.
fn report_back(double: &Double, report: Report, token: SecretString) {
    let Ok(place) = double.callbacks.clone().try_acquire_owned() else {
        return;
    };
    let client = double.client.clone();
    tokio::spawn(async move {
        for status in ["sent", "delivered"] {
            let fields = [
                ("AccountSid", report.account.as_str()),
                ("ApiVersion", "2010-04-01"),
                ("From", &report.from),
                ("MessageSid", &report.sid),
                ("MessageStatus", status),
                ("SmsSid", &report.sid),
                ("SmsStatus", status),
                ("To", &report.to),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
            let signature = sign(&token, &report.url, &fields);
            let posting = client
                .post(&report.url)
                .header("X-Twilio-Signature", signature)
                .form(&fields)
                .send();
            if posting.await.is_err() {
                tracing::debug!("a status callback of the development sink could not be posted");
                break;
            }
        }
        drop(place);
    });
}
