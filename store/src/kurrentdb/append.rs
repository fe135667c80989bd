//! The locked head. Within a process a mutex is the lock; between processes it is the expected revision: whoever appends
//! second is told so, and nothing of it is written.

use super::connection::Appended;
use super::log::Log;
use super::records;
use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId};
use crate::port::{Check, Existing, Head, LockedHead};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kurrentdb::StreamState;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

pub(super) struct Locked {
    log: Arc<Log>,
    max_append_bytes: usize,
    head: Head,
    /// The last record at the head: an append must find the stream ending there.
    revision: u64,
    _turn: OwnedMutexGuard<()>,
}

impl Locked {
    /// Waits for the others of this process, then reads what other processes have appended. So an append whose outcome
    /// was unknown is decided here: it is in the log, or it is not and will be refused when it comes late.
    pub(super) async fn lock(
        log: Arc<Log>,
        turn: Arc<Mutex<()>>,
        max_append_bytes: usize,
    ) -> Result<Locked, StoreError> {
        let turn = turn.lock_owned().await;
        log.catch_up().await?;
        log.look_at_clock().await?;
        let (head, revision) = {
            let index = log.index();
            (index.head(), index.last_revision())
        };
        Ok(Locked {
            log,
            max_append_bytes,
            head,
            revision,
            _turn: turn,
        })
    }

    /// What an append is told that comes second.
    async fn not_at(&self, expected: u64, ends_at: Option<u64>, written: usize) -> StoreError {
        match ends_at {
            Some(revision) if revision > expected => StoreError::Overtaken { written },
            _ => self.log.went_back().await,
        }
    }
}

#[async_trait]
impl LockedHead for Locked {
    fn head(&self) -> Head {
        self.head
    }

    fn now(&self) -> Option<DateTime<Utc>> {
        self.log.now()
    }

    async fn read_after(&mut self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let up_to = after.0.saturating_add(limit as u64).min(self.head.position.0);
        self.log.between(after, Position(up_to)).await
    }

    async fn check(&mut self, ids: &[Uuid], streams: &[StreamId]) -> Result<Check, StoreError> {
        let (found, sequences) = {
            let index = self.log.index();
            let mut found: Vec<u64> = ids.iter().filter_map(|id| index.position_of(id)).collect();
            found.sort_unstable();
            found.dedup();
            let sequences = streams.iter().map(|stream| index.last_sequence(stream)).collect();
            (found, sequences)
        };
        let existing = self.log.at(&found).await?.into_iter().map(|event| Existing {
            event_id: event.event_id,
            position: event.position,
            metadata: event.metadata,
        });
        Ok(Check {
            existing: existing.collect(),
            sequences,
        })
    }

    /// One append to a record. A batch that needs several is not written as one: where it ends half-way, whole units
    /// are in the log and the others are not.
    async fn append(self: Box<Self>, events: &[StoredEvent]) -> Result<Head, StoreError> {
        {
            let index = self.log.index();
            // Somebody who reads in this process has seen already that another one was faster.
            if index.last_revision() != self.revision {
                return Err(StoreError::Overtaken { written: 0 });
            }
            index
                .check(events)
                .map_err(|problem| StoreError::Corrupt(format!("an append that does not follow: {problem}")))?;
        }
        let parts = records::split(events, &self.log.source, self.max_append_bytes)?;
        for (expected, part) in (self.revision..).zip(parts) {
            let (range, part_events) = (part.range.clone(), &events[part.range.clone()]);
            let id = Uuid::now_v7();
            let record = part.record(id, part_events)?;
            let state = StreamState::StreamRevision(expected);
            self.log.appending(expected + 1);
            match self.log.connection.append(&self.log.stream, state, record).await? {
                Appended::At(revision) => self.log.take(revision, id, part_events.into())?,
                Appended::EndsAt(end) => return Err(self.not_at(expected, end, range.start).await),
            }
        }
        Ok(self.head.after(events))
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
