//! The port: what the rest of the platform asks of an event log.

use crate::continuity::{Checkpoint, Continuity, Digest, EventIdentity, WentBack};
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
    /// The digest of all events up to it.
    pub digest: Digest,
}

impl Head {
    /// The head of a log without events.
    pub const EMPTY: Head = Head {
        position: Position::START,
        recorded_at: DateTime::UNIX_EPOCH,
        digest: Digest::EMPTY,
    };

    /// The head after these events, which follow.
    #[must_use]
    pub fn after(self, events: &[StoredEvent]) -> Head {
        events.last().map_or(self, |last| Head {
            position: last.position,
            recorded_at: last.recorded_at,
            digest: self.digest.after_all(events),
        })
    }
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

/// Which events of a log: all of some streams, those with some ids, those at some positions.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// All events of these streams.
    pub streams: Vec<StreamId>,
    /// The events with these ids, as far as they exist.
    pub ids: Vec<Uuid>,
    /// The events at these positions, as far as they exist.
    pub positions: Vec<Position>,
}

/// The state of a book at a position, beside the log. It can be thrown away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last position that is part of the state; the event that records its hash comes right after it.
    pub position: Position,
    /// The state text.
    pub state: String,
    /// The log's digest up to the position; none where it was not kept yet.
    pub digest: Option<Digest>,
}

/// An event log.
#[async_trait]
pub trait EventStore: Send + Sync + fmt::Debug {
    /// The log's name, `urn:viral:log:<uuid>`, fixed when it was created.
    fn source(&self) -> &str;

    /// What this process has seen of the log, and whether it lost some of that.
    fn continuity(&self) -> &Continuity;

    /// The clock of the server that has the head; none where the log has no clock of its own, then the caller's counts.
    async fn clock(&self) -> Result<Option<DateTime<Utc>>, StoreError>;

    /// The end of the log: everything up to it is committed and can be read.
    async fn head(&self) -> Result<Head, StoreError>;

    /// The events after a position in order, at most `limit`; fewer only at the end of the log.
    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// The event at a position, if the log has one there.
    async fn event_at(&self, position: Position) -> Result<Option<StoredEvent>, StoreError> {
        let Some(before) = position.0.checked_sub(1) else {
            return Ok(None);
        };
        Ok(self.read_after(Position(before), 1).await?.pop())
    }

    /// The events after a checkpoint, as [`EventStore::read_after`], where the log still has the event of the checkpoint.
    ///
    /// # Errors
    /// [`StoreError::WentBack`] if it has not, of which [`EventStore::continuity`] takes note.
    async fn read_on(&self, from: &Checkpoint, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let Some(before) = from.position.0.checked_sub(1) else {
            return self.read_after(from.position, limit).await;
        };
        let mut events = self.read_after(Position(before), limit.saturating_add(1)).await?;
        if events.first().is_some_and(|event| from.is(event)) {
            return Ok(events.split_off(1));
        }
        let head = self.head().await?.position;
        self.continuity().watch(Err(WentBack::new(from.position, head).into()))
    }

    /// The events of a stream after a sequence, as [`EventStore::read_stream`], where the event of that sequence is still
    /// the one that was `seen` there.
    ///
    /// # Errors
    /// [`StoreError::WentBack`] if it is not, of which [`EventStore::continuity`] takes note.
    async fn read_stream_on(
        &self,
        stream: &StreamId,
        after: u64,
        seen: Option<EventIdentity>,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let (Some(before), Some(seen)) = (after.checked_sub(1), seen) else {
            return self.read_stream(stream, after, limit).await;
        };
        let mut events = self.read_stream(stream, before, limit.saturating_add(1)).await?;
        if events.first().is_some_and(|event| EventIdentity::of(event) == seen) {
            return Ok(events.split_off(1));
        }
        let head = self.head().await?.position;
        let furthest = self.continuity().furthest().position;
        self.continuity().watch(Err(WentBack::new(furthest, head).into()))
    }

    /// The head, which must have everything that this process has seen before it asks.
    ///
    /// # Errors
    /// [`StoreError::WentBack`] if it has not, of which [`EventStore::continuity`] takes note.
    async fn head_on(&self) -> Result<Head, StoreError> {
        let seen = self.continuity().furthest();
        let head = self.head().await?;
        self.compare(&seen, &head)?;
        Ok(head)
    }

    /// A checkpoint with the log's digest, if it has none and stands at the head: from then on it can be kept.
    async fn with_digest(&self, at: Checkpoint) -> Result<Checkpoint, StoreError> {
        if at.digest.is_some() {
            return Ok(at);
        }
        let head = self.head().await?;
        Ok(Checkpoint {
            digest: (head.position == at.position).then_some(head.digest),
            ..at
        })
    }

    /// Whether the log has what a checkpoint has seen. Unlike the reads that go on from one this takes no note: it is for
    /// what lies beside the log, which may be of an older history than what this process decides by.
    async fn has(&self, at: &Checkpoint) -> Result<bool, StoreError> {
        if at.position == Position::START {
            return Ok(true);
        }
        let found = self.event_at(at.position).await?;
        Ok(found.is_some_and(|event| at.is(&event)) && at.compare(&self.head().await?).is_ok())
    }

    /// Compares a checkpoint with the head, see [`Checkpoint::compare`].
    ///
    /// # Errors
    /// [`StoreError::WentBack`], of which [`EventStore::continuity`] takes note.
    fn compare(&self, at: &Checkpoint, head: &Head) -> Result<(), StoreError> {
        self.continuity().watch(at.compare(head))
    }

    /// The events of a stream after a sequence in order, at most `limit`.
    async fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// The event with this id.
    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError>;

    /// The events of a selection after a position and up to another, in order, each once, at most `limit`. This is the
    /// plain way; a home with indexes has a shorter one.
    async fn select(
        &self,
        selection: &Selection,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = Vec::new();
        for stream in &selection.streams {
            events.extend(self.read_stream(stream, 0, usize::MAX).await?);
        }
        for id in &selection.ids {
            events.extend(self.find(*id).await?);
        }
        for position in &selection.positions {
            let before = Position(position.0.saturating_sub(1));
            let found = self.read_after(before, 1).await?.into_iter();
            events.extend(found.filter(|event| event.position == *position));
        }
        events.retain(|event| event.position > after && event.position <= up_to);
        events.sort_by_key(|event| event.position);
        events.dedup_by_key(|event| event.position);
        events.truncate(limit);
        Ok(events)
    }

    /// The most bytes that the lines of one unit may have, each with two more for what is between them. A unit is all or
    /// nothing, and not every home of a log can write any number of bytes at once.
    fn max_unit_bytes(&self) -> usize {
        usize::MAX
    }

    /// Locks the head: until the answer is dropped or done with, nobody else appends. Where a home has no lock between
    /// processes, whoever of two appends second gets [`StoreError::Overtaken`] instead.
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

    /// What the clock of the head's server said after the lock was had; see [`EventStore::clock`].
    fn now(&self) -> Option<DateTime<Utc>>;

    /// As [`EventStore::read_after`].
    async fn read_after(&mut self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// As [`EventStore::read_on`].
    async fn read_on(&mut self, from: &Checkpoint, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let Some(before) = from.position.0.checked_sub(1) else {
            return self.read_after(from.position, limit).await;
        };
        let mut events = self.read_after(Position(before), limit.saturating_add(1)).await?;
        match events.first().is_some_and(|event| from.is(event)) {
            true => Ok(events.split_off(1)),
            false => Err(WentBack::new(from.position, self.head().position).into()),
        }
    }

    /// Looks up ids and the last sequences of streams.
    async fn check(&mut self, ids: &[Uuid], streams: &[StreamId]) -> Result<Check, StoreError>;

    /// Appends events whose positions follow the head without a gap and gives up the lock. Each unit is written as a
    /// whole or not at all; a home that cannot write all of them at once may stop after some. After an error it is
    /// unknown whether they were written, but for [`StoreError::Overtaken`]: lock again and look their ids up. Answers
    /// the new head, whose digest goes on from that of the old one.
    async fn append(self: Box<Self>, events: &[StoredEvent]) -> Result<Head, StoreError>;

    /// Gives up the lock without writing.
    async fn release(self: Box<Self>) -> Result<(), StoreError>;
}
