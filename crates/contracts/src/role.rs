//! Roles, admin levels and fine-grained permissions, with the spellings that the frontends use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an account may be. An account has one or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Role {
    /// Orders, chats, sees own data. Also called user.
    Client,
    /// Works on what is assigned to them. Also called counselor or host.
    Reader,
    /// A reader-like role of the guide programme, granted on approval.
    Guide,
    /// Approves and rejects content, locks sessions, blocks users.
    Monitor,
    /// Tickets and the knowledge base.
    Support,
    /// Users and operations; a level narrows it.
    Admin,
    /// Everything but ownership.
    SuperAdmin,
    /// Everything.
    Owner,
}

impl Role {
    /// All roles, the least powerful first.
    pub const ALL: [Role; 8] = [
        Role::Client,
        Role::Reader,
        Role::Guide,
        Role::Monitor,
        Role::Support,
        Role::Admin,
        Role::SuperAdmin,
        Role::Owner,
    ];

    /// The name that is stored and answered.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Client => "client",
            Role::Reader => "reader",
            Role::Guide => "guide",
            Role::Monitor => "monitor",
            Role::Support => "support",
            Role::Admin => "admin",
            Role::SuperAdmin => "super_admin",
            Role::Owner => "owner",
        }
    }

    /// Whether somebody with this role may do what `other` may: `super_admin`
    /// whatever admin may, owner whatever `super_admin` may, and each itself.
    pub fn covers(self, other: Role) -> bool {
        match self {
            Role::Owner => matches!(other, Role::Owner | Role::SuperAdmin | Role::Admin),
            Role::SuperAdmin => matches!(other, Role::SuperAdmin | Role::Admin),
            role => role == other,
        }
    }

    /// Support, monitors and the admins above them.
    pub const STAFF: [Role; 5] = [
        Role::Support,
        Role::Monitor,
        Role::Admin,
        Role::SuperAdmin,
        Role::Owner,
    ];

    /// Whether this is a staff role.
    pub fn is_staff(self) -> bool {
        Self::STAFF.contains(&self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Role> for &'static str {
    fn from(role: Role) -> Self {
        role.name()
    }
}

/// A name that is no role, level or permission.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownName(pub String);

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown name {:?}", self.0)
    }
}

impl std::error::Error for UnknownName {}

impl FromStr for Role {
    type Err = UnknownName;

    /// Takes the stored names and the aliases `user`, `counselor`, `host`, `superadmin`.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name {
            "user" => Role::Client,
            "counselor" | "counsellor" | "host" => Role::Reader,
            "superadmin" => Role::SuperAdmin,
            _ => Role::ALL
                .into_iter()
                .find(|role| role.name() == name)
                .ok_or_else(|| UnknownName(name.to_owned()))?,
        })
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownName;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

/// How far an admin's power reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Support staff.
    Support,
    /// First line.
    L1,
    /// Second line.
    L2,
    /// Third line.
    L3,
    /// Everything, within one country.
    CountryAdmin,
    /// Everything.
    Owner,
}

impl Level {
    /// All levels, the least powerful first.
    pub const ALL: [Level; 6] = [
        Level::Support,
        Level::L1,
        Level::L2,
        Level::L3,
        Level::CountryAdmin,
        Level::Owner,
    ];

    /// The name that is stored and answered.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Support => "support",
            Level::L1 => "l1",
            Level::L2 => "l2",
            Level::L3 => "l3",
            Level::CountryAdmin => "country_admin",
            Level::Owner => "owner",
        }
    }
}

impl FromStr for Level {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Level::ALL
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or_else(|| UnknownName(name.to_owned()))
    }
}

/// What can be granted one by one besides a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Ban an account.
    BanUsers,
    /// Put somebody out of a room.
    KickUsers,
    /// Delete anybody's messages.
    DeleteMessages,
    /// Change and close rooms.
    ManageRooms,
    /// Create and change events.
    ManageEvents,
    /// Decide on guide applications.
    ApproveGuides,
    /// Decide on pay-outs.
    ApproveCashouts,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Permission; 7] = [
        Permission::BanUsers,
        Permission::KickUsers,
        Permission::DeleteMessages,
        Permission::ManageRooms,
        Permission::ManageEvents,
        Permission::ApproveGuides,
        Permission::ApproveCashouts,
    ];

    /// The name that is stored and answered.
    pub const fn name(self) -> &'static str {
        match self {
            Permission::BanUsers => "ban_users",
            Permission::KickUsers => "kick_users",
            Permission::DeleteMessages => "delete_messages",
            Permission::ManageRooms => "manage_rooms",
            Permission::ManageEvents => "manage_events",
            Permission::ApproveGuides => "approve_guides",
            Permission::ApproveCashouts => "approve_cashouts",
        }
    }

    /// Aura's spelling, such as `canBanUsers`.
    pub const fn aura_name(self) -> &'static str {
        match self {
            Permission::BanUsers => "canBanUsers",
            Permission::KickUsers => "canKickUsers",
            Permission::DeleteMessages => "canDeleteMessages",
            Permission::ManageRooms => "canManageRooms",
            Permission::ManageEvents => "canManageEvents",
            Permission::ApproveGuides => "canApproveGuides",
            Permission::ApproveCashouts => "canApproveCashouts",
        }
    }
}

impl FromStr for Permission {
    type Err = UnknownName;
    /// Takes both spellings.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Permission::ALL
            .into_iter()
            .find(|p| p.name() == name || p.aura_name() == name)
            .ok_or_else(|| UnknownName(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_taken_and_the_stored_name_is_answered() {
        for (alias, name) in [
            ("user", "client"),
            ("counselor", "reader"),
            ("host", "reader"),
            ("superadmin", "super_admin"),
            ("owner", "owner"),
        ] {
            assert_eq!(alias.parse::<Role>().map(Role::name), Ok(name));
        }
        assert!("root".parse::<Role>().is_err());
    }

    #[test]
    fn power_is_ordered_only_among_the_admins() {
        assert!(Role::Owner.covers(Role::Admin));
        assert!(Role::SuperAdmin.covers(Role::Admin));
        assert!(!Role::Admin.covers(Role::SuperAdmin));
        assert!(!Role::Owner.covers(Role::Reader));
    }

    #[test]
    fn both_spellings_of_a_permission_are_one() {
        for permission in Permission::ALL {
            assert_eq!(permission.name().parse(), Ok(permission));
            assert_eq!(permission.aura_name().parse(), Ok(permission));
        }
    }
}
