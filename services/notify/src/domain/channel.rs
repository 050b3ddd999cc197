//! The ways to a person.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A way to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The sockets of their open frontends.
    Socket,
    /// Electronic mail.
    Email,
    /// Text messages to their phone.
    Sms,
    /// Web Push and device messages.
    Push,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Socket, Self::Email, Self::Sms, Self::Push];

    /// Its name in the API and in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
