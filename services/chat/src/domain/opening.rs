//! Who may open a conversation with whom.

/// What somebody is, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Support, monitor or any admin.
    Staff,
    /// A reader or a guide.
    Reader,
    /// Anybody else.
    Client,
}

/// Whether `one` may open a conversation with `other`: staff with anyone, client and
/// reader with each other, and everybody with whom they `share` a group or an order.
pub fn may_open(one: Party, other: Party, share: bool) -> bool {
    match (one, other) {
        (Party::Staff, _) | (Party::Client, Party::Reader) | (Party::Reader, Party::Client) => true,
        _ => share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        use Party::{Client, Reader, Staff};
        for other in [Client, Reader, Staff] {
            assert!(may_open(Staff, other, false));
        }
        assert!(may_open(Client, Reader, false) && may_open(Reader, Client, false));
        for (one, other) in [
            (Client, Client),
            (Reader, Reader),
            (Client, Staff),
            (Reader, Staff),
        ] {
            assert!(!may_open(one, other, false) && may_open(one, other, true));
        }
    }
}
