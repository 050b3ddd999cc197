//! The gateway as frontends and attackers meet it: over sockets, before services that
//! behave and services that do not.

mod support;

mod breaking;
mod documents;
mod edge;
mod health;
mod limits;
mod passage;
mod realtime;
mod restarts;
mod smuggling;
mod streaming;
mod tokens;
