//! What a file is: its type, whether it is harmful, what can be made of it.
//!
//! - [`kinds`] tells a file's type by its content, never by its name.
//! - [`scan`] looks for what is harmful: embedded rules that always run, and clamd where there is one.
//! - [`picture`] checks pictures before they are decoded, and makes smaller and cleaner ones of them.
//! - [`audio`] tells duration, codec and channels of recordings, and draws their waveform.
//!
//! No database and no HTTP. Everything here is given bytes by strangers: it is bounded in memory
//! before it allocates, and answers rather than panics.

pub mod audio;
pub mod kinds;
pub mod picture;
pub mod scan;

mod bytes;
