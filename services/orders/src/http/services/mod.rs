//! `/api/services…`

pub mod change;
pub mod create;
pub mod list;

use parlour_http::{Problems, Routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{money, text};
use crate::view::ServiceView;

/// Routes below `/api/services`.
pub fn routes() -> Routes {
    change::route(create::route(list::route(Routes::of(crate::NAME))))
}

/// `{service}`
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceData {
    /// The service as it is now.
    pub service: ServiceView,
}

/// How a result comes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// As text.
    Written,
    /// As a recording.
    Audio,
    /// In a call.
    Live,
}

impl DeliveryMode {
    /// The name that is stored and answered.
    pub fn name(self) -> &'static str {
        match self {
            DeliveryMode::Written => "written",
            DeliveryMode::Audio => "audio",
            DeliveryMode::Live => "live",
        }
    }
}

/// What a schema cannot say about a service's texts.
fn check(
    problems: &mut Problems,
    kind: Option<&str>,
    name: Option<&str>,
    description: Option<&str>,
    currency: Option<&str>,
) {
    let fine = kind.is_none_or(text::is_kind);
    problems.require(fine, "kind", "must be a short name of a-z, 0-9, - and _");
    let fine = name.is_none_or(|name| text::is_plain(name) && text::says_something(name));
    problems.require(fine, "name", "must be a line of text without control characters");
    let fine = description.is_none_or(|all| text::is_plain(&all.replace(['\n', '\r', '\t'], " ")));
    problems.require(fine, "description", "must not contain control characters");
    let fine = currency.is_none_or(money::is_currency);
    problems.require(fine, "currency", "must be an ISO 4217 code");
}
