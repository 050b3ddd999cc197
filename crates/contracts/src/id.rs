//! Ids are `UUIDv7` everywhere: they sort by time, so that indexes grow at one end.

use uuid::Uuid;

/// A new id, later than every id this process made before.
pub fn new() -> Uuid {
    Uuid::now_v7()
}
