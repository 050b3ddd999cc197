//! Accounts, sign-in, roles, profiles and reference data.
