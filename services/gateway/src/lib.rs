//! The thin edge: authentication, limits, routing, health, documents.
