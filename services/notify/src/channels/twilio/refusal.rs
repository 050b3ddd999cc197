//! Twilio's error codes.

use crate::channels::Class;

/// What an error code says about the message; `None` when the HTTP status says it all.
/// The codes are those of <https://www.twilio.com/docs/api/errors>.
pub(super) fn class(code: u32) -> Option<Class> {
    match code {
        // Not a number; not one that can get texts (a landline); unsubscribed by STOP;
        // no route to it; not a mobile number; unknown or unreachable for good.
        21211 | 21214 | 21217 | 21219 | 21401 | 21407 | 21421 | 21610 | 21612 | 21614 | 30005 | 30006 => {
            Some(Class::BadAddress)
        }
        // The account's rate, its queue, the service's concurrency.
        14107 | 20429 | 21611 | 30001 | 30022 => Some(Class::Throttled),
        // No permission for the region, no or too long a body, an empty sender, filtered.
        21408 | 21602 | 21603 | 21604 | 21605 | 21617 | 21618 | 21619 | 21620 | 21623 | 30004 | 30007 => {
            Some(Class::Permanent)
        }
        // Account suspended, unknown carrier error, away.
        _ => None,
    }
}
