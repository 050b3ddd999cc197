//! Which service a path belongs to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::config::Listed;

/// Path prefixes in whole segments; the longest wins.
pub(crate) struct Prefixes {
    services: HashMap<Box<str>, Arc<str>>,
    /// No prefix has more segments, so that a path of a thousand slashes costs no more than others.
    deepest: usize,
}

impl Prefixes {
    pub(crate) fn new(table: &BTreeMap<String, Listed>) -> Self {
        let mut services: HashMap<Box<str>, Arc<str>> = HashMap::new();
        for (service, prefixes) in table {
            let service: Arc<str> = service.as_str().into();
            for prefix in &prefixes.0 {
                services.insert(prefix.as_str().into(), service.clone());
            }
        }
        let deepest = services
            .keys()
            .map(|prefix| prefix.matches('/').count())
            .max()
            .unwrap_or(0);
        Self { services, deepest }
    }

    /// The service with the longest prefix of `path`.
    pub(crate) fn service(&self, path: &str) -> Option<&Arc<str>> {
        let slashes = path.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        let mut found = None;
        for end in slashes.chain([path.len()]).take(self.deepest) {
            found = path
                .get(..end)
                .and_then(|prefix| self.services.get(prefix))
                .or(found);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_in_whole_segments_wins() {
        let table = BTreeMap::from([
            ("orders".to_owned(), Listed(vec!["/api/orders".to_owned()])),
            (
                "chat".to_owned(),
                Listed(vec!["/api".to_owned(), "/ws".to_owned()]),
            ),
        ]);
        let prefixes = Prefixes::new(&table);
        let service = |path: &str| prefixes.service(path).map(ToString::to_string);
        assert_eq!(service("/api/orders").as_deref(), Some("orders"));
        assert_eq!(service("/api/orders/").as_deref(), Some("orders"));
        assert_eq!(service("/api/orders/1/2/3").as_deref(), Some("orders"));
        assert_eq!(service("/api/ordersx").as_deref(), Some("chat"));
        assert_eq!(service("/ws/").as_deref(), Some("chat"));
        assert_eq!(service("/wsx"), None);
        assert_eq!(service("//ws"), None);
        assert_eq!(service("/"), None);
    }
}
