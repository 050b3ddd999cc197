//! Where the tests' PostgreSQL and RabbitMQ are.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio_postgres::{Client, NoTls};
use url::Url;

/// The address in the environment variable `name`.
pub(crate) fn address(name: &str) -> Url {
    let text = std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run the tests with `make test`, or start engines with \
             `deploy/local/engines start --tests` and see deploy/local/test for what to export"
        )
    });
    text.parse()
        .unwrap_or_else(|error| panic!("{name} is not an address: {error}"))
}

/// The administrator's address of the maintenance database.
pub(crate) fn postgres() -> Url {
    address("PARLOUR_TEST_PG_URL")
}

/// A session with the database at `url`.
pub(crate) async fn connect(url: &Url) -> Client {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls)
        .await
        .unwrap_or_else(|error| panic!("PostgreSQL does not answer: {error}"));
    // It ends with the client; what it has to say by then nobody needs to know.
    tokio::spawn(connection);
    client
}

/// A name that no other test has: of lower-case letters, digits and underscores,
/// with the time in it by which leftovers are known.
pub(crate) fn unique_name(prefix: &str) -> String {
    format!("{prefix}{:x}_{:08x}", seconds_now(), rand::random::<u32>())
}

/// Whether `name` was made by [`unique_name`] more than an hour ago.
pub(crate) fn is_leftover(name: &str, prefix: &str) -> bool {
    let time = name.strip_prefix(prefix).and_then(|rest| rest.split('_').next());
    let made = time.and_then(|hex| u64::from_str_radix(hex, 16).ok());
    made.is_some_and(|made| made + 3600 < seconds_now())
}

fn seconds_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_known_by_their_names() {
        assert!(!is_leftover(&unique_name("t_"), "t_"));
        assert!(is_leftover("t_65000000_0badcafe", "t_"));
        assert!(!is_leftover("other", "t_"));
        assert!(!is_leftover("t_xyz", "t_"));
    }
}
