//! The types that the platform itself tells, and what their templates may say. Senders
//! may use types of their own; those have whatever variables the sender gives.

/// A type.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name in the API.
    pub name: &'static str,
    /// The variables of its templates with an example each, besides [`COMMON`].
    pub variables: &'static [(&'static str, &'static str)],
    /// Which of them go into a notification's `data`, as ids to click on.
    pub data: &'static [&'static str],
}

/// What every template may say.
pub const COMMON: [(&str, &str); 2] = [("recipient", "Ana"), ("brand", "Parlour")];

const ORDER_ID: (&str, &str) = ("order_id", "01890a5d-ac96-774b-bcce-b302099a8057");
const NUMBER: (&str, &str) = ("number", "R-000042");
const SERVICE: (&str, &str) = ("service_name", "Tarot reading");
const APPOINTMENT_ID: (&str, &str) = ("appointment_id", "01890a5d-ac96-774b-bcce-b302099a8058");
/// In the recipient's zone.
const STARTS: (&str, &str) = ("starts", "4 May 2026, 18:30");
const AMOUNT: (&str, &str) = ("amount", "19.50 EUR");
const PAYMENT_ID: (&str, &str) = ("payment_id", "01890a5d-ac96-774b-bcce-b302099a8059");

const ORDER: &[(&str, &str)] = &[ORDER_ID, NUMBER, SERVICE];
const ORDER_DATA: &[&str] = &["order_id", "number"];
const APPOINTMENT: &[(&str, &str)] = &[APPOINTMENT_ID, STARTS];
const APPOINTMENT_DATA: &[&str] = &["appointment_id", "start_at"];
const PAYMENT: &[(&str, &str)] = &[PAYMENT_ID, ORDER_ID, AMOUNT];
const PAYMENT_DATA: &[&str] = &["payment_id", "order_id", "amount_minor", "currency"];

const fn order(name: &'static str) -> Kind {
    Kind {
        name,
        variables: ORDER,
        data: ORDER_DATA,
    }
}

const fn appointment(name: &'static str) -> Kind {
    Kind {
        name,
        variables: APPOINTMENT,
        data: APPOINTMENT_DATA,
    }
}

const fn mail(name: &'static str) -> Kind {
    Kind {
        name,
        variables: &[("url", "https://example.org/?token=…")],
        data: &[],
    }
}

const fn plain(name: &'static str) -> Kind {
    Kind {
        name,
        variables: &[],
        data: &[],
    }
}

/// All of them.
pub const ALL: [Kind; 29] = [
    order("order_created"),
    order("order_assigned"),
    order("order_unassigned"),
    order("order_submitted"),
    order("order_approved"),
    order("order_rejected"),
    order("order_delivered"),
    order("order_cancelled"),
    Kind {
        name: "order_overdue",
        variables: &[ORDER_ID, NUMBER, SERVICE, ("waits_for", "review")],
        data: &["order_id", "number", "waits_for"],
    },
    Kind {
        name: "order_rated",
        variables: &[ORDER_ID, NUMBER, ("rating", "5")],
        data: &["order_id", "number", "rating"],
    },
    appointment("appointment_booked"),
    appointment("appointment_confirmed"),
    appointment("appointment_cancelled"),
    Kind {
        name: "appointment_completed",
        variables: &[APPOINTMENT_ID],
        data: &["appointment_id"],
    },
    Kind {
        name: "appointment_due",
        variables: &[APPOINTMENT_ID, STARTS, ("minutes_before", "15")],
        data: &["appointment_id", "start_at", "minutes_before"],
    },
    Kind {
        name: "payment_succeeded",
        variables: PAYMENT,
        data: PAYMENT_DATA,
    },
    Kind {
        name: "payment_failed",
        variables: PAYMENT,
        data: PAYMENT_DATA,
    },
    Kind {
        name: "payment_refunded",
        variables: PAYMENT,
        data: PAYMENT_DATA,
    },
    Kind {
        name: "security_alert",
        variables: &[("what", "password_changed"), ("address", "192.0.2.1")],
        data: &["what", "address"],
    },
    Kind {
        name: "file_infected",
        variables: &[("file_id", "01890a5d-ac96-774b-bcce-b302099a8060")],
        data: &["file_id"],
    },
    Kind {
        name: "scanner_changed",
        variables: &[
            ("scanner", "clamd"),
            ("state", "away"),
            ("since", "2026-01-05 12:00"),
        ],
        data: &["scanner", "state"],
    },
    plain("account_blocked"),
    plain("account_unblocked"),
    plain("test_notification"),
    Kind {
        name: "digest",
        variables: &[("count", "3"), ("items", "• Order R-000042 was rated")],
        data: &[],
    },
    mail("verify_email"),
    mail("reset_password"),
    mail("owner_invitation"),
    plain("account_exists"),
];

/// The platform's type of this name.
pub fn named(name: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| kind.name == name)
}

/// Whether a text can be the name of a type.
pub fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let letter_first = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    letter_first
        && name.len() <= 64
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b))
}

/// The keys of `data` whose value SafeTalk calls the related id, the nearest first.
pub const RELATED: [&str; 8] = [
    "related_id",
    "order_id",
    "appointment_id",
    "payment_id",
    "file_id",
    "session_id",
    "ticket_id",
    "alert_id",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_and_single() {
        for (index, kind) in ALL.iter().enumerate() {
            assert!(is_name(kind.name), "{}", kind.name);
            assert!(ALL[index + 1..].iter().all(|other| other.name != kind.name));
        }
        for bad in ["", "Order", "order delivered", "1st", "é", "a\n", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
