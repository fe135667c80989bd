//! The port: what the rest of the platform asks of an event log.

use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The position of the last event; [`Position::START`] in an empty log.
    pub position: Position,
    /// When the last event was recorded; the Unix epoch in an empty log.
    pub recorded_at: DateTime<Utc>,
}

/// An event found by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// The id that was looked for.
    pub event_id: Uuid,
    /// Where it is.
    pub position: Position,
    /// Its metadata, as stored.
    pub metadata: String,
}

/// What was found in the log, under the lock of its head.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Which of the ids exist, in no particular order.
    pub existing: Vec<Existing>,
    /// The last sequence of each stream in the order asked; 0 for a stream without events.
    pub sequences: Vec<u64>,
}

/// The state of a book at a position, beside the log. It can be thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last position that is part of the state; the event that records its hash comes right after it.
    pub position: Position,
    /// The state text.
    pub state: String,
}

/// An event log.
#[async_trait]
pub trait EventStore: Send + Sync + fmt::Debug {
    /// The log's name, `urn:viral:log:<uuid>`, fixed when it was created.
    fn source(&self) -> &str;

    /// The end of the log: everything up to it is committed and can be read.
    async fn head(&self) -> Result<Head, StoreError>;

    /// The events after a position in order, at most `limit`; fewer only at the end of the log.
    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// The events of a stream after a sequence in order, at most `limit`.
    async fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// The event with this id.
    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError>;

    /// Locks the head: until the answer is dropped or done with, nobody else appends.
    async fn lock(&self) -> Result<Box<dyn LockedHead>, StoreError>;

    /// Waits until there are events after a position, at most `timeout`; answers the head in any case. A
    /// notification only wakes the caller earlier: polling is the fallback.
    async fn wait_for(&self, after: Position, timeout: Duration) -> Result<Head, StoreError>;

    /// Keeps a snapshot. One of the same position is replaced.
    async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError>;

    /// The newest snapshot at or before a position.
    async fn snapshot_at(&self, at_most: Position) -> Result<Option<Snapshot>, StoreError>;
}

/// The head of a log, locked. Dropping it without [`LockedHead::append`] writes nothing.
#[async_trait]
pub trait LockedHead: Send {
    /// The end of the log, which nobody else can move now.
    fn head(&self) -> Head;

    /// As [`EventStore::read_after`].
    async fn read_after(&mut self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// Looks up ids and the last sequences of streams.
    async fn check(&mut self, ids: &[Uuid], streams: &[StreamId]) -> Result<Check, StoreError>;

    /// Appends events whose positions follow the head without a gap, all or nothing, and gives up the lock. After an
    /// error it is unknown whether they were written: lock again and look their ids up.
    async fn append(self: Box<Self>, events: &[StoredEvent]) -> Result<(), StoreError>;

    /// Gives up the lock without writing.
    async fn release(self: Box<Self>) -> Result<(), StoreError>;
}
