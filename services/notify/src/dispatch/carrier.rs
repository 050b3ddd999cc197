//! Who carries messages to the outside.

use futures_util::future::BoxFuture;

use crate::channels::twilio::StatusReport;
use crate::channels::{Class, Outgoing, Providers, Refused, Sent};

/// The providers of all channels.
pub trait Carrier: Send + Sync {
    /// Hands a message to a provider. `Ok` means that a provider took it; from then on it must
    /// not be sent again.
    fn carry<'m>(&'m self, message: &'m Outgoing) -> BoxFuture<'m, Result<Sent, Refused>>;

    /// What a provider of text messages reports to its callback: the query string as it came,
    /// the form's fields, the signature. `None` when no account in use signed it.
    fn read_sms_status(
        &self,
        _query: &str,
        _fields: &[(String, String)],
        _signature: &str,
    ) -> Option<StatusReport> {
        None
    }
}

impl Carrier for Providers {
    fn carry<'m>(&'m self, message: &'m Outgoing) -> BoxFuture<'m, Result<Sent, Refused>> {
        Box::pin(Providers::carry(self, message))
    }

    fn read_sms_status(
        &self,
        query: &str,
        fields: &[(String, String)],
        signature: &str,
    ) -> Option<StatusReport> {
        Providers::read_sms_status(self, query, fields, signature)
    }
}

/// Nobody: for what never sends, such as an operator's command.
pub struct NoProviders;

impl Carrier for NoProviders {
    fn carry<'m>(&'m self, _message: &'m Outgoing) -> BoxFuture<'m, Result<Sent, Refused>> {
        let refused = Refused {
            class: Class::Permanent,
            provider: String::new(),
            words: "nobody sends here".to_owned(),
            retry_after: None,
        };
        Box::pin(std::future::ready(Err(refused)))
    }
}
