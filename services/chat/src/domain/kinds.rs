//! What conversations and messages can be.

use parlour_contracts::named;

named! {
    /// What a conversation is about.
    SessionKind {
        /// An order, between its client and its reader.
        Booking = "booking",
        /// Help from the staff.
        Support = "support",
        /// Anything.
        General = "general",
        /// The one conversation of two people.
        Direct = "direct",
        /// A group that people join and leave.
        Group = "group",
    }
}

named! {
    /// What can be done with a conversation.
    SessionStatus {
        /// It is written to.
        Active = "active",
        /// Nobody may write for now.
        Locked = "locked",
        /// It can only be read.
        Ended = "ended",
    }
}

named! {
    /// What a message is.
    MessageKind {
        /// Words.
        Text = "text",
        /// A recording.
        Voice = "voice",
        /// A picture.
        Image = "image",
        /// Any other file.
        File = "file",
        /// Words of the platform or its staff.
        System = "system",
        /// What only its recipients can read.
        Encrypted = "encrypted",
    }
}
