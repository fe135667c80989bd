//! The event log: what every other part of Viral Engine is derived from.
//!
//! [`EventStore`] is the port. A log has one order, gapless from position 1, because every append holds the one lock
//! of the log's head while it checks and writes, or names the end of the log that it has checked against. Adapters only
//! have to lock, look up and append; what a unit of work is and whether it may be appended is decided once, by the
//! writer in `viral-commands`, whichever adapter is below.

pub mod canonical;
pub mod continuity;
pub mod error;
pub mod event;
pub mod feed;
pub mod kurrentdb;
pub mod line;
pub mod memory;
pub mod person_keys;
pub mod port;
pub mod postgres;
mod shown;
pub mod spool;
pub mod units;

pub use continuity::{Checkpoint, Continuity, Digest, EventIdentity};
pub use error::StoreError;
pub use event::{Metadata, Position, StoredEvent, StreamId};
pub use kurrentdb::KurrentStore;
pub use memory::MemoryStore;
pub use person_keys::{PersonKeys, WrappedKey};
pub use port::{Check, EventStore, Existing, Head, LockedHead, Selection, Snapshot};
pub use postgres::PostgresStore;
pub use shown::without_password;
pub use spool::{SpoolError, SpoolWriter, SpooledLog};
