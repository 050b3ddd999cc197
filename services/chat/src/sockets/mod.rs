//! The live half of chat: every socket of the platform, by Socket.IO or plainly.

pub mod catching_up;
pub mod exchange;
pub mod frame;
pub mod hub;
pub mod live;
pub mod plain;
pub mod roster;
pub mod said;
pub mod seat;
pub mod serve;
pub mod settings;
pub mod stream;
pub mod typing;
pub mod visits;
