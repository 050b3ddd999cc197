//! Twilio's error codes, as far as they say more than the HTTP status does. The list is at
//! <https://www.twilio.com/docs/api/errors>; it grows, and what is not known is judged by
//! its status.

use crate::channels::Class;

/// What an error code says about a message.
pub(super) fn class(code: u32) -> Option<Class> {
    match code {
        // Not a number; cannot be reached; a short code; a premium or information service;
        // unsubscribed by STOP; not a mobile; a landline; unknown to the carriers.
        21211 | 21214 | 21217 | 21265 | 21268 | 21610 | 21614 | 21635 | 30005 | 30006 => {
            Some(Class::BadAddress)
        }
        // Messages of one reply; requests; queues of a sender and of the account; a carrier's
        // limit for registered senders.
        14107 | 20429 | 21611 | 30001 | 30022 => Some(Class::Throttled),
        // Our sender is wrong or cannot send there: no fault of the message, and somebody
        // else may be able to.
        21212 | 21601 | 21603 | 21606 | 21659..=21661 | 21703 | 21705 => Some(Class::Transient),
        // Region not allowed; no, empty or too long a text; nobody to send to; no route;
        // blocked and filtered by carriers.
        21408 | 21602 | 21604 | 21612 | 21617..=21619 | 30004 | 30007 => Some(Class::Permanent),
        _ => None,
    }
}
