//! A log that somebody can change as they like, as the owner of a database can.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use viral_store::{Continuity, EventStore, Head, LockedHead, Position, Snapshot, StoreError, StoredEvent, StreamId};

/// Events that are kept without any check.
#[derive(Debug, Clone)]
pub(crate) struct Tampered {
    pub(crate) source: String,
    pub(crate) events: Vec<StoredEvent>,
    pub(crate) head: Head,
    pub(crate) snapshots: BTreeMap<Position, String>,
    /// An event that the store cannot decode.
    pub(crate) unreadable: Option<Position>,
    continuity: Arc<Continuity>,
}

impl Tampered {
    /// A copy of a log with its newest snapshot.
    pub(crate) async fn copy(store: &dyn EventStore) -> Tampered {
        let saved = store.snapshot_at(Position(u64::MAX)).await.unwrap();
        Tampered {
            source: store.source().to_owned(),
            events: store.read_after(Position::START, usize::MAX).await.unwrap(),
            head: store.head().await.unwrap(),
            snapshots: saved.map(|saved| (saved.position, saved.state)).into_iter().collect(),
            unreadable: None,
            continuity: Arc::default(),
        }
    }

    /// The event at a position, to be changed.
    pub(crate) fn at(&mut self, position: u64) -> &mut StoredEvent {
        self.events
            .iter_mut()
            .find(|event| event.position.0 == position)
            .unwrap()
    }

    /// Replaces a part of a payload; it must be there.
    pub(crate) fn payload(&mut self, position: u64, from: &str, to: &str) {
        let event = self.at(position);
        assert!(event.payload.contains(from), "{}", event.payload);
        event.payload = event.payload.replacen(from, to, 1);
    }

    /// Replaces a part of a metadata text; it must be there.
    pub(crate) fn metadata(&mut self, position: u64, from: &str, to: &str) {
        let event = self.at(position);
        assert!(event.metadata.contains(from), "{}", event.metadata);
        event.metadata = event.metadata.replacen(from, to, 1);
    }

    /// Takes an event away and closes the gap behind it, positions and sequences included: the traces that remain are
    /// what it did.
    pub(crate) fn remove_and_close_gap(&mut self, position: u64) {
        let index = self
            .events
            .iter()
            .position(|event| event.position.0 == position)
            .unwrap();
        let removed = self.events.remove(index);
        for event in &mut self.events[index..] {
            event.position.0 -= 1;
            if event.stream == removed.stream {
                event.sequence -= 1;
            }
        }
        self.head.position.0 -= 1;
    }

    pub(crate) fn into_store(self) -> Arc<dyn EventStore> {
        Arc::new(self)
    }
}

#[async_trait]
impl EventStore for Tampered {
    fn source(&self) -> &str {
        &self.source
    }

    fn continuity(&self) -> &Continuity {
        &self.continuity
    }

    async fn clock(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(None)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.head)
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let page: Vec<StoredEvent> = self
            .events
            .iter()
            .filter(|event| event.position > after)
            .take(limit)
            .cloned()
            .collect();
        match self.unreadable {
            Some(bad) if page.iter().any(|event| event.position == bad) => Err(StoreError::Corrupt(
                "column 4: -1 is negative where a count should be".to_owned(),
            )),
            _ => Ok(page),
        }
    }

    async fn read_stream(&self, _: &StreamId, _: u64, _: usize) -> Result<Vec<StoredEvent>, StoreError> {
        Err(StoreError::Setup(
            "the auditor's tools read the log in its own order".to_owned(),
        ))
    }

    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        Ok(self.events.iter().find(|event| event.event_id == event_id).cloned())
    }

    async fn lock(&self) -> Result<Box<dyn LockedHead>, StoreError> {
        Err(StoreError::Denied("the auditor's tools never write".to_owned()))
    }

    async fn wait_for(&self, _: Position, _: Duration) -> Result<Head, StoreError> {
        self.head().await
    }

    async fn save_snapshot(&self, _: &Snapshot) -> Result<(), StoreError> {
        Err(StoreError::Denied("the auditor's tools never write".to_owned()))
    }

    async fn snapshot_at(&self, at_most: Position) -> Result<Option<Snapshot>, StoreError> {
        let newest = self.snapshots.range(..=at_most).next_back();
        Ok(newest.map(|(position, state)| Snapshot {
            position: *position,
            state: state.clone(),
            digest: None,
        }))
    }
}

/// An empty log whose head says so.
pub(crate) fn empty() -> Tampered {
    Tampered {
        source: "urn:viral:log:00000000-0000-4000-8000-000000000000".to_owned(),
        events: Vec::new(),
        head: Head::EMPTY,
        continuity: Arc::default(),
        snapshots: BTreeMap::new(),
        unreadable: None,
    }
}
