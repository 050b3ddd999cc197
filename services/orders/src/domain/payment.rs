//! The payment state beside an order's life. Only billing's events move it.

use uuid::Uuid;

use parlour_contracts::named;

named! {
    /// Where the money is.
    PaymentStatus {
        /// With the client.
        Unpaid = "unpaid",
        /// Held.
        Authorised = "authorised",
        /// Taken.
        Paid = "paid",
        /// Back with the client.
        Refunded = "refunded",
    }
}

impl PaymentStatus {
    /// Whether the order's price is secured.
    pub const fn is_secured(self) -> bool {
        matches!(self, PaymentStatus::Authorised | PaymentStatus::Paid)
    }
}

/// What is known of an order's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Where it is.
    pub status: PaymentStatus,
    /// The payment that said so.
    pub payment: Option<Uuid>,
    /// What that payment still holds or took.
    pub paid: i64,
    /// What the order costs.
    pub price: i64,
    /// In what.
    pub currency: String,
}

/// What billing tells of one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Money is held or, with `captured`, taken.
    Succeeded {
        /// How much.
        amount: i64,
        /// In what.
        currency: String,
        /// Taken, and not only held.
        captured: bool,
    },
    /// It did not come about, or the hold lapsed.
    Failed,
    /// Money went back.
    Refunded {
        /// How much.
        amount: i64,
    },
}

/// What follows from news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The account is another now; the action for the history.
    Moved(Account, &'static str),
    /// Nothing changes, but the history should have it.
    Noted(&'static str),
    /// It was known already.
    Known,
}

impl Account {
    /// What `news` of the payment `id` means for this account.
    pub fn hear(&self, id: Uuid, news: &News) -> Outcome {
        match news {
            News::Succeeded {
                amount,
                currency,
                captured,
            } => self.succeeded(id, *amount, currency, *captured),
            News::Failed if self.status == PaymentStatus::Authorised && self.is(id) => Outcome::Moved(
                Self {
                    status: PaymentStatus::Unpaid,
                    payment: None,
                    paid: 0,
                    ..self.clone()
                },
                "payment_failed",
            ),
            News::Failed => Outcome::Noted("payment_failed"),
            News::Refunded { amount } => self.refunded(id, *amount),
        }
    }

    fn is(&self, id: Uuid) -> bool {
        self.payment == Some(id)
    }

    fn succeeded(&self, id: Uuid, amount: i64, currency: &str, captured: bool) -> Outcome {
        use PaymentStatus::{Authorised, Paid, Refunded, Unpaid};
        // Too little is not the price. Billing sees to it; the order goes on waiting.
        if amount < self.price || currency != self.currency {
            return Outcome::Noted("payment_insufficient");
        }
        let (status, action) = if captured {
            (Paid, "payment_captured")
        } else {
            (Authorised, "payment_authorised")
        };
        let moved = Self {
            status,
            payment: Some(id),
            paid: amount,
            ..self.clone()
        };
        match self.status {
            // What was refunded stays so if its own earlier news comes late.
            Refunded if self.is(id) => Outcome::Known,
            Unpaid | Refunded => Outcome::Moved(moved, action),
            Authorised if captured => Outcome::Moved(moved, action),
            Authorised | Paid if self.is(id) => Outcome::Known,
            Authorised | Paid => Outcome::Noted("payment_repeated"),
        }
    }

    fn refunded(&self, id: Uuid, amount: i64) -> Outcome {
        if !self.is(id) || !self.status.is_secured() {
            return if self.is(id) {
                Outcome::Known
            } else {
                Outcome::Noted("payment_refunded")
            };
        }
        let left = self.paid.saturating_sub(amount.max(0)).max(0);
        let mut account = Self {
            paid: left,
            ..self.clone()
        };
        if left > 0 {
            return Outcome::Moved(account, "payment_refunded_in_part");
        }
        account.status = PaymentStatus::Refunded;
        Outcome::Moved(account, "payment_refunded")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn account(status: PaymentStatus, payment: Option<Uuid>) -> Account {
        let paid = if status.is_secured() { 100 } else { 0 };
        Account {
            status,
            payment,
            paid,
            price: 100,
            currency: "EUR".to_owned(),
        }
    }

    fn success(captured: bool) -> News {
        News::Succeeded {
            amount: 100,
            currency: "EUR".to_owned(),
            captured,
        }
    }

    fn status_after(outcome: &Outcome, before: PaymentStatus) -> PaymentStatus {
        match outcome {
            Outcome::Moved(account, _) => account.status,
            Outcome::Noted(_) | Outcome::Known => before,
        }
    }

    /// Every state × every piece of news, of the payment that is known and of another.
    #[test]
    fn the_whole_table() {
        use PaymentStatus::{Authorised, Paid, Refunded, Unpaid};
        let (same, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (held, taken, failed) = (success(false), success(true), News::Failed);
        let (part, all) = (News::Refunded { amount: 40 }, News::Refunded { amount: 100 });
        #[rustfmt::skip]
        let table = [
            // state, [held, taken, failed, part, all] of the same payment, and of another
            (Unpaid,     [Authorised, Paid, Unpaid, Unpaid, Unpaid],       [Authorised, Paid, Unpaid, Unpaid, Unpaid]),
            (Authorised, [Authorised, Paid, Unpaid, Authorised, Refunded], [Authorised, Paid, Authorised, Authorised, Authorised]),
            (Paid,       [Paid, Paid, Paid, Paid, Refunded],               [Paid, Paid, Paid, Paid, Paid]),
            (Refunded,   [Refunded, Refunded, Refunded, Refunded, Refunded], [Authorised, Paid, Refunded, Refunded, Refunded]),
        ];
        for (status, with_same, with_other) in table {
            let before = account(status, (status != Unpaid).then_some(same));
            for (id, expected) in [(same, with_same), (other, with_other)] {
                for (news, expected) in [&held, &taken, &failed, &part, &all].into_iter().zip(expected) {
                    let found = status_after(&before.hear(id, news), status);
                    assert_eq!(found, expected, "{status} {news:?} {id}");
                }
            }
        }
    }

    #[test]
    fn too_little_or_another_currency_is_not_the_price() {
        for (amount, currency) in [(99, "EUR"), (100, "USD"), (-1, "EUR"), (0, "EUR")] {
            let news = News::Succeeded {
                amount,
                currency: currency.to_owned(),
                captured: true,
            };
            let outcome = account(PaymentStatus::Unpaid, None).hear(Uuid::nil(), &news);
            assert_eq!(outcome, Outcome::Noted("payment_insufficient"));
        }
    }

    proptest! {
        #[test]
        fn refunds_never_take_more_than_was_paid(amounts in prop::collection::vec(any::<i64>(), 0..8)) {
            let id = Uuid::from_u128(1);
            let mut now = account(PaymentStatus::Paid, Some(id));
            for amount in amounts {
                if let Outcome::Moved(next, _) = now.hear(id, &News::Refunded { amount }) {
                    prop_assert!(next.paid <= now.paid && next.paid >= 0);
                    prop_assert_eq!(next.status == PaymentStatus::Refunded, next.paid == 0);
                    now = next;
                }
            }
        }
    }
}
