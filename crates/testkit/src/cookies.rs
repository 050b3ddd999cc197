//! What a browser would send back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{HeaderMap, SET_COOKIE};

/// The cookies of one browser. Tests have one host and one path, so only names and values count.
#[derive(Clone, Default)]
pub(crate) struct Jar(Arc<Mutex<BTreeMap<String, String>>>);

impl Jar {
    /// Keeps what an answer sets and forgets what it takes away.
    pub(crate) fn store(&self, headers: &HeaderMap) {
        let mut cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap_or_default();
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if parts.any(|part| part.eq_ignore_ascii_case("max-age=0")) {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// The value of one.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.get(name).cloned()
    }

    /// The `Cookie` header.
    pub(crate) fn header(&self) -> String {
        let cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_kept_until_they_are_taken_away() {
        let answer = |line: &'static str| HeaderMap::from_iter([(SET_COOKIE, line.parse().unwrap())]);
        let jar = Jar::default();
        jar.store(&answer("session=a=b; Path=/; HttpOnly"));
        jar.store(&answer("csrftoken=c"));
        assert_eq!(jar.header(), "csrftoken=c; session=a=b");
        jar.store(&answer("session=; Max-Age=0"));
        assert_eq!(
            (jar.get("session"), jar.get("csrftoken").as_deref()),
            (None, Some("c"))
        );
    }
}
