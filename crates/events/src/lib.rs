//! Outbox, relay, consumers, inbox, retry ladder, parking, replay and the realtime push.
