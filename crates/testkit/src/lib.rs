//! What tests stand on: a database and a vhost per test, clients that sign in, a fault proxy.
