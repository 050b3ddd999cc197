//! Field encryption with key ids, and keyed blind indexes.
