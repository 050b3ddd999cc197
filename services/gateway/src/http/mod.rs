//! The gateway's own endpoints.

pub(crate) mod demo;
pub(crate) mod docs;
mod health;
mod openapi;
mod safetalk;

use parlour_http::{RateClass, Routes};

/// All of them.
pub(crate) fn routes() -> Routes {
    Routes::of(crate::NAME)
        .add::<health::__path_health, _, _, _>(RateClass::None, health::health)
        .add::<health::__path_api_health, _, _, _>(RateClass::None, health::api_health)
        .add::<safetalk::__path_safetalk_health, _, _, _>(RateClass::None, safetalk::safetalk_health)
        .add::<safetalk::__path_safetalk_status, _, _, _>(RateClass::None, safetalk::safetalk_status)
        .add::<safetalk::__path_safetalk_metrics, _, _, _>(RateClass::None, safetalk::safetalk_metrics)
        .add::<openapi::__path_openapi_document, _, _, _>(RateClass::General, openapi::openapi_document)
        .add::<docs::__path_docs, _, _, _>(RateClass::General, docs::docs)
}
