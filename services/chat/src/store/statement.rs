//! SQL written by hand, for statements that do several things at once.

pub(super) use parlour_db::Statement;
