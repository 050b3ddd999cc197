//! Where bytes are: sealed objects in a store, each under a random id.

pub mod local;
pub mod loose;
pub mod objects;
pub mod reader;
pub mod seal;
pub mod writer;

pub use loose::Loose;
pub use objects::{Objects, StorageError};
pub use reader::Plain;
pub use seal::ObjectKey;
pub use writer::Writer;
