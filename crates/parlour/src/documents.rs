//! `parlour openapi`

use parlour::services;
use parlour_http::{Routes, document};

use crate::print;

/// Prints the document of all services.
pub(crate) fn openapi() -> anyhow::Result<()> {
    let all = services::all().iter().fold(Routes::default(), |routes, service| {
        routes.and((service.routes)())
    });
    let document = document("Parlour", parlour_chassis::VERSION, &all);
    print::line(serde_json::to_string_pretty(&document)?)
}
