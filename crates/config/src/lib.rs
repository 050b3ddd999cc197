//! Layered configuration: embedded defaults, a file, the environment; typed, validated, secrets redacted.
