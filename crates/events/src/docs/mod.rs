//! `docs/EVENTS.md` and `docs/asyncapi.yaml`, generated from the comments in
//! `proto/` and from the consumers that the services register.

mod asyncapi;
mod markdown;
mod model;
mod yaml;

pub use asyncapi::asyncapi;
pub use markdown::markdown;

/// The command that writes the documents anew.
pub const REGENERATE: &str = "PARLOUR_WRITE_DOCS=1 make test ARGS=documents";

/// What a service consumes; see [`crate::Consumer::types`].
#[derive(Clone, Debug)]
pub struct Registered {
    /// The service.
    pub service: String,
    /// The types it handles, topic patterns among them.
    pub types: Vec<String>,
}

impl From<&crate::Consumer> for Registered {
    fn from(consumer: &crate::Consumer) -> Self {
        Self {
            service: consumer.service().to_owned(),
            types: consumer.types(),
        }
    }
}

fn consumers_of<'a>(registered: &'a [Registered], event_type: &str) -> Vec<&'a str> {
    let handles = |r: &&Registered| {
        r.types
            .iter()
            .any(|pattern| pattern == event_type || crate::topology::matches(pattern, event_type))
    };
    let mut names: Vec<&str> = registered
        .iter()
        .filter(handles)
        .map(|r| r.service.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consumers_are_named() {
        let registered = Registered {
            service: "orders".into(),
            types: vec!["identity.profile.updated".into(), "*.audit.recorded".into()],
        };
        let page = markdown(std::slice::from_ref(&registered));
        assert!(page.contains("consumed by orders"), "{page}");
        assert!(asyncapi(&[registered]).contains("consume.orders.any.audit.recorded:"));
    }
}
