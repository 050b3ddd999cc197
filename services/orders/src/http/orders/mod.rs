//! `/api/orders…`

pub mod approve;
pub mod assign;
pub mod cancel;
pub mod create;
pub mod detail;
pub mod list;
pub mod reject;
pub mod result;
pub mod review;

use parlour_http::{Problems, Routes};

use crate::domain::text;

/// Routes below `/api/orders`.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    let routes = detail::route(list::route(create::route(routes)));
    let routes = result::route(assign::route(routes));
    let routes = reject::route(approve::route(routes));
    review::route(cancel::route(routes))
}

/// Whether a reason says something.
fn check_reason(problems: &mut Problems, reason: &str) {
    let fine = text::says_something(reason);
    problems.require(fine, "reason", "must say something");
}
