//! Errors and envelopes, guarded routes, validated input, pagination, idempotency, rate buckets, OpenAPI.
