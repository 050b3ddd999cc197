//! SQL written by hand, for statements that do several things at once.

pub(crate) use parlour_db::Statement;
