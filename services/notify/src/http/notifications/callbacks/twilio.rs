//! `POST /api/notifications/callbacks/twilio`

use parlour_db::{Scope, Tx};
use parlour_http::{
    ApiError, External, Form, Header, HeaderNamed, RateClass, RawQuery, Reply, Routes, State, Success,
};

use crate::channels::Class;
use crate::channels::twilio::StatusReport;
use crate::error::Error;
use crate::http::notifications::Nothing;
use crate::state::Notify;
use crate::store::outcomes::{self, Report};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_sms_status, _, _, _>(RateClass::None, sms_status)
}

/// `X-Twilio-Signature`
pub struct Signature;

impl HeaderNamed for Signature {
    const NAME: &'static str = "x-twilio-signature";
}

/// Takes Twilio's report of a text message
///
/// Twilio calls it by itself, at the configured `status_callback`. A report that none of the
/// accounts in use signed is refused; one that says nothing new is answered like any other.
#[utoipa::path(
    post, path = "/api/notifications/callbacks/twilio", tag = "notifications",
    request_body(content = BTreeMap<String, String>, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The report is taken.", body = Success<Nothing>))
)]
pub async fn sms_status(
    _: External,
    state: State<Notify>,
    RawQuery(query): RawQuery,
    signature: Header<Signature>,
    Form(fields): Form,
) -> Result<Reply, ApiError> {
    let signature = signature.as_deref().unwrap_or_default();
    let report = state
        .carrier
        .read_sms_status(&query, &fields, signature)
        .ok_or_else(ApiError::forbidden)?;
    if let Some(report) = news(report) {
        let now = state.clock.now();
        let work = async move |tx: &mut Tx| -> Result<bool, Error> {
            Ok(outcomes::reported(tx, report, now).await?)
        };
        state.db.write(Scope::Service, work).await?;
    }
    Reply::ok(Nothing {})
}

/// What a report adds to what is known: that a message arrived, or that it never will.
fn news(report: StatusReport) -> Option<Report> {
    let failure = report.class().map(|class| (class, words(&report, class)));
    let tells = failure.is_some() || report.status.has_arrived();
    tells.then_some(Report {
        delivery_id: report.delivery_id,
        provider_id: report.sid,
        failure,
    })
}

fn words(report: &StatusReport, class: Class) -> String {
    match report.error_code {
        Some(code) => format!("Twilio: error {code}"),
        None => format!("Twilio could not hand it over ({})", class.name()),
    }
}
