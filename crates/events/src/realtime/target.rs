//! For whom a push is, and how its routing key says so.

use std::fmt;

use uuid::Uuid;

/// For whom a push is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Every socket of a person.
    User(Uuid),
    /// Everybody who has a role.
    Role(String),
    /// Everybody in a session.
    Session(Uuid),
    /// The processes that hold sockets, for what they have to tell each other.
    Sockets,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user.{id}"),
            Self::Role(name) => write!(f, "role.{name}"),
            Self::Session(id) => write!(f, "session.{id}"),
            Self::Sockets => f.write_str("sockets"),
        }
    }
}

impl Target {
    /// As its routing key says.
    pub(super) fn parse(key: &str) -> Option<Self> {
        if key == "sockets" {
            return Some(Self::Sockets);
        }
        match key.split_once('.')? {
            ("user", id) => id.parse().ok().map(Self::User),
            ("session", id) => id.parse().ok().map(Self::Session),
            ("role", name) => Some(Self::Role(name.to_owned())),
            _ => None,
        }
    }
}
