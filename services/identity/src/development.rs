//! In development, and until a service that sends mail is there: requested mails land
//! as JSON lines in the outbox instead of being sent. Production has no such thing.

use std::path::PathBuf;
use std::sync::Arc;

use parlour_contracts::identity::v1::EmailRequested;
use parlour_db::Tx;
use parlour_events::{Consumer, Failure, Incoming};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::state::Identity;

/// Makes `consumer` write requested mails to `file`.
pub fn mails_to_file(consumer: Consumer, state: &Arc<Identity>, file: PathBuf) -> Consumer {
    let state = state.clone();
    consumer.on(
        async move |_: &mut Tx, event: Incoming<EmailRequested>| -> Result<(), Failure> {
            let line = line(&state, &event.data)?;
            append(&file, &line).await.map_err(Failure::retry)
        },
    )
}

fn line(state: &Identity, mail: &EmailRequested) -> Result<String, Failure> {
    let open = |field: &str, sealed: &[u8]| {
        let place = format!("email_requested.{field}:{}", mail.account_id);
        state.contacts.open_text(&place, sealed).map_err(Failure::poison)
    };
    let to = open("address", &mail.address_sealed)?;
    let data: Value = serde_json::from_str(&open("data", &mail.data_sealed)?).map_err(Failure::poison)?;
    let (subject, sentence) = words(&mail.template);
    let text = match data.get("url").and_then(Value::as_str) {
        Some(url) => format!("{sentence}\n\n{url}\n"),
        None => format!("{sentence}\n"),
    };
    let mail = json!({
        "to": to, "subject": subject, "text": text, "template": mail.template, "locale": mail.locale, "data": data,
        "at": parlour_http::Time::from(chrono::Utc::now()),
    });
    Ok(format!("{mail}\n"))
}

/// Subject and first sentence of each mail.
fn words(template: &str) -> (&'static str, &'static str) {
    match template {
        "verify_email" => (
            "Confirm your e-mail address",
            "Confirm your address within an hour:",
        ),
        "reset_password" => (
            "Set a new password",
            "Set a new password within an hour. If you did not ask for this, do nothing:",
        ),
        "owner_invitation" => ("You own a platform", "Set your password within an hour:"),
        _ => (
            "Somebody tried to register with your address",
            "You have an account already. If it was you, sign in or ask for a new password.",
        ),
    }
}

async fn append(file: &PathBuf, line: &str) -> std::io::Result<()> {
    let mut file = tokio::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .await?;
    file.write_all(line.as_bytes()).await?;
    file.flush().await
}
