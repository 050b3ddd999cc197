//! Who carries messages to the outside.

use futures_util::future::BoxFuture;

use crate::channels::{Class, Outgoing, Refused, Sent};

/// The providers of all channels.
pub trait Carrier: Send + Sync {
    /// Hands a message to a provider. `Ok` means that a provider took it; from then on it must
    /// not be sent again.
    fn carry<'m>(&'m self, message: &'m Outgoing) -> BoxFuture<'m, Result<Sent, Refused>>;
}

/// A platform without providers: every message is refused for good, and stands in the
/// list of failed deliveries until there is one.
pub struct NoProviders;

impl Carrier for NoProviders {
    fn carry<'m>(&'m self, _message: &'m Outgoing) -> BoxFuture<'m, Result<Sent, Refused>> {
        let refused = Refused {
            class: Class::Permanent,
            provider: String::new(),
            words: "no provider is configured for this channel".to_owned(),
            retry_after: None,
        };
        Box::pin(std::future::ready(Err(refused)))
    }
}
