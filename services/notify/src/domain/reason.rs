//! Why a channel was chosen, waits, was left out or failed: a word for the database and
//! the API, and a sentence for people.

use serde::{Deserialize, Serialize};

use super::Channel;

/// Which rule chose a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// An emergency goes everywhere.
    Emergency,
    /// The type cannot be switched off.
    Required,
    /// The person said so.
    Own,
    /// Whoever sent it asked for this channel.
    Requested,
    /// The role's default.
    Role,
    /// There is an active template for it.
    Template,
    /// The in-app list is always on.
    Always,
    /// The person asked for this mail, or it is about their account.
    Mail,
}

impl Chosen {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Required => "required",
            Self::Own => "own",
            Self::Requested => "requested",
            Self::Role => "role",
            Self::Template => "template",
            Self::Always => "always",
            Self::Mail => "mail",
        }
    }

    /// What people read; the stored name, if it is one of a newer version.
    pub fn sentence(name: &str, channel: Channel) -> String {
        let way = way(channel);
        match name {
            "emergency" => format!("{way} was chosen because an emergency goes out on every channel."),
            "required" => format!("{way} was chosen because this type cannot be switched off."),
            "own" => format!("{way} was chosen because the person switched it on for this type."),
            "requested" => format!("{way} was chosen because the sender asked for it."),
            "role" => format!("{way} was chosen by the default of the person's role."),
            "template" => format!("{way} was chosen because this type has an active template for it."),
            "always" => format!("{way} is on unless the person switches it off."),
            "mail" => "The mail is about the account itself and goes out without a notification.".to_owned(),
            other => format!("{way} was chosen ({other})."),
        }
    }
}

/// Why a channel was left out or has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The person switched it off.
    Preference,
    /// The role's default has it off.
    RoleDefault,
    /// Nothing asks for this channel.
    NotChosen,
    /// The sender chose other channels.
    NotRequested,
    /// There is no address.
    NoAddress,
    /// There is an address that nobody has confirmed.
    Unverified,
    /// The provider said that the address is of no use.
    DeadAddress,
    /// Quiet hours.
    QuietHours,
    /// It is collected into a digest.
    Digest,
    /// It came too late.
    Expired,
    /// The person may not use the platform.
    Blocked,
    /// The person has read it elsewhere.
    Read,
    /// The person deleted it.
    Deleted,
    /// Too many on this channel lately.
    Rate,
    /// A failed attempt is repeated.
    Retry,
}

impl Reason {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preference => "preference",
            Self::RoleDefault => "role_default",
            Self::NotChosen => "not_chosen",
            Self::NotRequested => "not_requested",
            Self::NoAddress => "no_address",
            Self::Unverified => "unverified",
            Self::DeadAddress => "dead_address",
            Self::QuietHours => "quiet_hours",
            Self::Digest => "digest",
            Self::Expired => "expired",
            Self::Blocked => "blocked",
            Self::Read => "read",
            Self::Deleted => "deleted",
            Self::Rate => "rate",
            Self::Retry => "retry",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::from(name)).ok()
    }

    /// Why it was left out, for people.
    pub fn sentence(self, channel: Channel) -> String {
        let way = way(channel);
        let thing = address(channel);
        match self {
            Self::Preference => format!("{way} was left out: the person switched it off for this type."),
            Self::RoleDefault => format!("{way} was left out: it is off by default for the person's role."),
            Self::NotChosen => {
                format!("{way} was left out: neither the person, their role nor a template asks for it.")
            }
            Self::NotRequested => format!("{way} was left out: the sender chose other channels."),
            Self::NoAddress => format!("{way} was left out: the person has no {thing}."),
            Self::Unverified => format!("{way} was left out: the person's {thing} is not confirmed."),
            Self::DeadAddress => format!("{way} was left out: the provider refused the person's {thing}."),
            Self::QuietHours => format!("{way} waits for the end of the person's quiet hours."),
            Self::Digest => format!("{way} waits for the digest of this type."),
            Self::Expired => format!("{way} was left out: the notification expired before it could be sent."),
            Self::Blocked => format!("{way} was left out: the person may not use the platform."),
            Self::Read => format!("{way} was left out: the person read the notification while it waited."),
            Self::Deleted => {
                format!("{way} was left out: the person deleted the notification before it was sent.")
            }
            Self::Rate => format!("{way} was left out: the person got too many on this channel lately."),
            Self::Retry => format!("{way} is tried again after a failed attempt."),
        }
    }
}

/// A channel at the beginning of a sentence.
pub fn way(channel: Channel) -> &'static str {
    match channel {
        Channel::Socket => "The in-app push",
        Channel::Email => "E-mail",
        Channel::Sms => "SMS",
        Channel::Push => "Push",
    }
}

fn address(channel: Channel) -> &'static str {
    match channel {
        Channel::Socket => "open connection",
        Channel::Email => "e-mail address",
        Channel::Sms => "phone number",
        Channel::Push => "registered browser or device",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_comes_back_from_its_name() {
        for reason in [
            Reason::Preference,
            Reason::RoleDefault,
            Reason::NotChosen,
            Reason::NotRequested,
            Reason::NoAddress,
            Reason::Unverified,
            Reason::DeadAddress,
            Reason::QuietHours,
            Reason::Digest,
            Reason::Expired,
            Reason::Blocked,
            Reason::Read,
            Reason::Deleted,
            Reason::Rate,
            Reason::Retry,
        ] {
            assert_eq!(Reason::named(reason.name()), Some(reason));
        }
        assert_eq!(Reason::named("whim"), None);
    }
}
