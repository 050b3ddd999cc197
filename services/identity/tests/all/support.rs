//! What several files need: mailed links, the contacts vault, counts.

use chrono::{DateTime, Utc};
use parlour_chassis::{Clock, Hands};
use parlour_contracts::identity::v1::EmailRequested;
use parlour_db::Scope;
use parlour_identity::schema;
use parlour_testkit::{App, AppBuilder};
use parlour_vault::{Settings, Vault};
use serde_json::Value;

/// The token of the last mail with this template, opened with the contacts key.
pub(crate) async fn mailed_token(app: &App, template: &str) -> String {
    let mails: Vec<EmailRequested> = app.published("identity").await;
    let mail = mails.iter().rev().find(|mail| mail.template == template).unwrap();
    let place = format!("email_requested.data:{}", mail.account_id);
    let data = contacts(app).open_text(&place, &mail.data_sealed).unwrap();
    let data: Value = serde_json::from_str(&data).unwrap();
    assert!(
        data["url"]
            .as_str()
            .unwrap()
            .contains(data["token"].as_str().unwrap())
    );
    data["token"].as_str().unwrap().to_owned()
}

/// The vault that the services that reach people hold.
pub(crate) fn contacts(app: &App) -> Vault {
    let settings: Shared = app.layers().part("contacts").unwrap();
    Vault::new(&settings.0).unwrap()
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Shared(Settings);
impl parlour_config::Part for Shared {}

/// How many accounts there are that are not deleted.
pub(crate) async fn accounts(app: &App) -> i64 {
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;
    let db = app.database().db("identity");
    db.read(
        Scope::Service,
        async |tx: &mut parlour_db::Tx| -> Result<i64, parlour_db::DbError> {
            Ok(schema::accounts::table.count().get_result(tx).await?)
        },
    )
    .await
    .unwrap()
}

/// An app by a clock that stands at a whole half minute, as authenticators count; and its hands.
pub(crate) fn by_the_clock() -> (AppBuilder, Clock, Hands) {
    let start = DateTime::from_timestamp(Utc::now().timestamp() / 30 * 30, 0).unwrap();
    let (clock, hands) = Clock::manual(start);
    (App::of(&crate::identity()).clock(clock.clone()), clock, hands)
}
