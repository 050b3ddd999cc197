//! Token verification and its cache, key sets, principals, revocations.
