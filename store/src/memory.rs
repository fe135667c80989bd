//! The log in memory: for tests of decisions and for simulation. It keeps the same promises as the others while the
//! process lives.

use crate::continuity::Continuity;
use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId};
use crate::person_keys::{PersonKeys, WrappedKey};
use crate::port::{Check, EventStore, Existing, Head, LockedHead, Snapshot};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, watch};
use uuid::Uuid;

/// An event log that is gone with the process.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    source: String,
    log: Arc<Mutex<Log>>,
    head_lock: Arc<tokio::sync::Mutex<()>>,
    head: Arc<watch::Sender<Position>>,
    continuity: Arc<Continuity>,
}

#[derive(Debug)]
struct Log {
    head: Head,
    events: Vec<StoredEvent>,
    ids: HashMap<Uuid, usize>,
    streams: HashMap<StreamId, Vec<usize>>,
    snapshots: BTreeMap<Position, Snapshot>,
    person_keys: HashMap<Uuid, WrappedKey>,
}

impl MemoryStore {
    /// An empty log of this id.
    pub fn new(log_id: Uuid) -> MemoryStore {
        MemoryStore {
            source: format!("urn:viral:log:{log_id}"),
            log: Arc::new(Mutex::new(Log {
                head: Head::EMPTY,
                events: Vec::new(),
                ids: HashMap::new(),
                streams: HashMap::new(),
                snapshots: BTreeMap::new(),
                person_keys: HashMap::new(),
            })),
            head_lock: Arc::default(),
            head: Arc::new(watch::channel(Position::START).0),
            continuity: Arc::default(),
        }
    }

    /// Loses everything after a position, for tests of what a log that went back does. Persons keep their keys.
    pub fn lose_after(&self, position: Position) {
        let mut log = self.log();
        log.events.retain(|event| event.position <= position);
        let kept = log.events.len();
        log.ids.retain(|_, index| *index < kept);
        log.streams
            .values_mut()
            .for_each(|indexes| indexes.retain(|index| *index < kept));
        log.snapshots.retain(|at, _| *at <= position);
        log.head = Head::EMPTY.after(&log.events);
        self.head.send_replace(log.head.position);
    }

    /// The same log as another process has it, which knows only what it has read itself.
    #[must_use]
    pub fn another_process(&self) -> MemoryStore {
        MemoryStore {
            continuity: Arc::default(),
            ..self.clone()
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // A panic elsewhere cannot leave the log half changed: every change is one call that cannot panic in between.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn read_after(&self, after: Position, limit: usize) -> Vec<StoredEvent> {
        // Position n is at index n − 1, so the events after it start at index n.
        let start = usize::try_from(after.0).unwrap_or(usize::MAX);
        self.events.iter().skip(start).take(limit).cloned().collect()
    }

    fn append(&mut self, events: &[StoredEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Err(StoreError::Corrupt("an append without events".to_owned()));
        }
        let mut next = self.head.position.next();
        for event in events {
            if event.position != next {
                return Err(StoreError::Corrupt(format!("position {next} would be skipped")));
            }
            let last = self.streams.get(&event.stream).map_or(0, Vec::len) as u64;
            let earlier = events.iter().take_while(|e| e.position < event.position);
            let in_batch = earlier.filter(|e| e.stream == event.stream).count() as u64;
            if self.ids.contains_key(&event.event_id) || event.sequence != last + in_batch + 1 {
                return Err(StoreError::Corrupt(format!("{} is not unique", event.event_id)));
            }
            next = next.next();
        }
        for event in events {
            let index = self.events.len();
            self.ids.insert(event.event_id, index);
            self.streams.entry(event.stream.clone()).or_default().push(index);
            self.events.push(event.clone());
        }
        self.head = self.head.after(events);
        Ok(())
    }
}

#[async_trait]
impl EventStore for MemoryStore {
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
        Ok(self.log().head)
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.log().read_after(after, limit))
    }

    async fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let log = self.log();
        let indexes = log.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let start = usize::try_from(after).unwrap_or(usize::MAX);
        let events = indexes.iter().skip(start).take(limit);
        Ok(events.filter_map(|index| log.events.get(*index)).cloned().collect())
    }

    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        let log = self.log();
        Ok(log.ids.get(&event_id).and_then(|index| log.events.get(*index)).cloned())
    }

    async fn lock(&self) -> Result<Box<dyn LockedHead>, StoreError> {
        let guard = self.head_lock.clone().lock_owned().await;
        Ok(Box::new(Locked {
            head: self.log().head,
            store: self.clone(),
            _guard: guard,
        }))
    }

    async fn wait_for(&self, after: Position, timeout: Duration) -> Result<Head, StoreError> {
        let mut head = self.head.subscribe();
        // Either it came or the time is over: the head answers both.
        let _ = tokio::time::timeout(timeout, head.wait_for(|position| *position > after)).await;
        self.head().await
    }

    async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.log().snapshots.insert(snapshot.position, snapshot.clone());
        Ok(())
    }

    async fn snapshot_at(&self, at_most: Position) -> Result<Option<Snapshot>, StoreError> {
        let log = self.log();
        let newest = log.snapshots.range(..=at_most).next_back();
        Ok(newest.map(|(_, snapshot)| snapshot.clone()))
    }
}

#[async_trait]
impl PersonKeys for MemoryStore {
    async fn keep_first(&self, key: WrappedKey) -> Result<WrappedKey, StoreError> {
        Ok(self.log().person_keys.entry(key.person).or_insert(key).clone())
    }

    async fn of_persons(&self, persons: &[Uuid]) -> Result<Vec<WrappedKey>, StoreError> {
        let log = self.log();
        Ok(persons
            .iter()
            .filter_map(|person| log.person_keys.get(person).cloned())
            .collect())
    }

    async fn any(&self) -> Result<Option<WrappedKey>, StoreError> {
        Ok(self
            .log()
            .person_keys
            .values()
            .find(|key| key.wrapped.is_some())
            .cloned())
    }
}

struct Locked {
    head: Head,
    store: MemoryStore,
    _guard: OwnedMutexGuard<()>,
}

#[async_trait]
impl LockedHead for Locked {
    fn head(&self) -> Head {
        self.head
    }

    fn now(&self) -> Option<DateTime<Utc>> {
        None
    }

    async fn read_after(&mut self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.store.log().read_after(after, limit))
    }

    async fn check(&mut self, ids: &[Uuid], streams: &[StreamId]) -> Result<Check, StoreError> {
        let log = self.store.log();
        let found = ids
            .iter()
            .filter_map(|id| log.ids.get(id))
            .filter_map(|index| log.events.get(*index));
        Ok(Check {
            existing: found
                .map(|event| Existing {
                    event_id: event.event_id,
                    position: event.position,
                    metadata: event.metadata.clone(),
                })
                .collect(),
            sequences: streams
                .iter()
                .map(|stream| log.streams.get(stream).map_or(0, Vec::len) as u64)
                .collect(),
        })
    }

    async fn append(self: Box<Self>, events: &[StoredEvent]) -> Result<Head, StoreError> {
        let head = {
            let mut log = self.store.log();
            log.append(events)?;
            log.head
        };
        self.store.head.send_replace(head.position);
        Ok(head)
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
