//! The local copy of people that a service keeps from identity's events.
