//! A copy of the log, made of its lines: from a file, from a topic, from whatever carries lines.
//!
//! An auditor who has only the lines asks them the same questions as the store, by the same code: the copy is an
//! [`EventStore`] that cannot be appended to. The lines wait in a temporary file without a name, which is gone with the
//! process however that ends. Memory holds 16 bytes an event: where its line ends, and an index of the ids.
//!
//! A line that is no line, or not the next one, ends the copy. The copy can be kept all the same
//! ([`SpoolWriter::finish_damaged`]): the event at that place cannot be read then, as one that is damaged in a database
//! cannot, and whoever verifies names it.

mod index;
mod lines;
mod writer;

pub use writer::{SpoolError, SpoolWriter};

use crate::continuity::Continuity;
use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId};
use crate::port::{EventStore, Head, LockedHead, Snapshot};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use index::Ids;
use lines::Lines;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How many events a scan reads at once.
const PAGE: usize = 1_024;

/// A log that can only be read, from lines.
#[derive(Clone)]
pub struct SpooledLog {
    copy: Arc<Copied>,
}

struct Copied {
    lines: Lines,
    ids: Ids,
    source: String,
    /// Behind the last line that could be read.
    head: Head,
    end: End,
    continuity: Continuity,
}

/// How the lines end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// With a whole line.
    Whole,
    /// In the middle of a line: the text says where.
    Cut(String),
    /// At a line that does not belong there: the text says which and why.
    Damaged(String),
}

impl SpooledLog {
    /// Whether the lines end in the middle of one: what is there may hold, but it is not all.
    pub fn is_cut(&self) -> bool {
        matches!(self.copy.end, End::Cut(_))
    }
}

impl Copied {
    fn problem(&self) -> Option<&str> {
        match &self.end {
            End::Whole => None,
            End::Cut(problem) | End::Damaged(problem) => Some(problem),
        }
    }

    /// What is damaged counts as an event: it was one, and whoever reads up to the end must meet it.
    fn head(&self) -> Head {
        let damaged = u64::from(self.problem().is_some());
        Head {
            position: Position(self.head.position.0 + damaged),
            ..self.head
        }
    }

    fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let wanted_end = after.0.saturating_add(limit as u64);
        if let Some(problem) = self.problem()
            && after.0 <= self.lines.count()
            && wanted_end > self.lines.count()
        {
            return Err(StoreError::Corrupt(problem.to_owned()));
        }
        self.lines.read(after.0..wanted_end.min(self.lines.count()))
    }

    fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let mut found = Vec::new();
        let mut at = Position::START;
        while found.len() < limit {
            let page = self.read_after(at, PAGE)?;
            let Some(last) = page.last() else { break };
            at = last.position;
            found.extend(
                page.into_iter()
                    .filter(|event| event.stream == *stream && event.sequence > after),
            );
        }
        found.truncate(limit);
        Ok(found)
    }

    fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        for position in self.ids.candidates(event_id) {
            let events = self.lines.read(position - 1..position)?;
            if let Some(event) = events.into_iter().find(|event| event.event_id == event_id) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for SpooledLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpooledLog")
            .field("source", &self.copy.source)
            .field("events", &self.copy.lines.count())
            .field("end", &self.copy.end)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl EventStore for SpooledLog {
    /// As the lines say. Empty if not even the first one could be read.
    fn source(&self) -> &str {
        &self.copy.source
    }

    fn continuity(&self) -> &Continuity {
        &self.copy.continuity
    }

    async fn clock(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.copy.head())
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        blocking(&self.copy, move |copy| copy.read_after(after, limit)).await
    }

    /// Reads the whole copy: no auditor's question needs it.
    async fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let stream = stream.clone();
        blocking(&self.copy, move |copy| copy.read_stream(&stream, after, limit)).await
    }

    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        // One small read of a file that was just written: handing it to another thread would take longer.
        self.copy.find(event_id)
    }

    async fn lock(&self) -> Result<Box<dyn LockedHead>, StoreError> {
        Err(cannot_be_changed())
    }

    async fn wait_for(&self, after: Position, timeout: Duration) -> Result<Head, StoreError> {
        let head = self.copy.head();
        if head.position <= after {
            // Nothing will come.
            tokio::time::sleep(timeout).await;
        }
        Ok(head)
    }

    async fn save_snapshot(&self, _: &Snapshot) -> Result<(), StoreError> {
        Err(cannot_be_changed())
    }

    /// There are none: they lie beside the log, not in it.
    async fn snapshot_at(&self, _: Position) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }
}

fn cannot_be_changed() -> StoreError {
    StoreError::Denied("this is a copy of the log, which cannot be appended to".to_owned())
}

/// Reads in a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(
    copy: &Arc<Copied>,
    read: impl FnOnce(&Copied) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let copy = copy.clone();
    let read = tokio::task::spawn_blocking(move || read(&copy)).await;
    read.map_err(|e| StoreError::Unavailable(format!("the reading of the copy ended: {e}")))?
}

#[cfg(test)]
mod tests;
