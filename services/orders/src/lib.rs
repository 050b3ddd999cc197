//! Orders: from request to delivered result.

/// The service's name.
pub const NAME: &str = "orders";
