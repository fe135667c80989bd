//! What can go wrong below the port, and whether trying again can help.

use crate::continuity::{ClockLeapt, WentBack};

/// An error of the store. Nothing is known to have been written unless the call says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is starting or stopping, or took too long. The outcome of a commit that was
    /// under way is unknown until its ids are looked up.
    #[error("the event store cannot be reached: {0}")]
    Unavailable(String),
    /// Another process has appended first. Of this append the first `written` events are in the log, and no others ever
    /// will be: lock again and decide anew, at once.
    #[error("another process has appended first")]
    Overtaken {
        /// How many events of the append were written: those of whole units.
        written: usize,
    },
    /// The log lost events that were read before. Nothing may be decided by what is in memory.
    #[error("{0}")]
    WentBack(#[from] WentBack),
    /// The clock that times come from moved by itself. Nothing is appended until that is mended or accepted.
    #[error("{0}")]
    ClockLeapt(#[from] ClockLeapt),
    /// The disk of the database is full.
    #[error("the event store's disk is full: free some space, then try again ({0})")]
    StorageFull(String),
    /// The database refused what was to be written for what it says: trying again does not help, another content may.
    /// Nothing was written.
    #[error("the event store refused the content: {0}")]
    Refused(String),
    /// The database refused for lack of privileges.
    #[error("the event store refused: {0}")]
    Denied(String),
    /// What is stored contradicts itself or cannot be read.
    #[error("the event store is damaged: {0}")]
    Corrupt(String),
    /// The set-up is wrong: no such database, not migrated, another version.
    #[error("the event store is not set up: {0}")]
    Setup(String),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing anything but the store's surroundings.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            StoreError::Unavailable(_) | StoreError::StorageFull(_) | StoreError::Overtaken { .. }
        )
    }
}
