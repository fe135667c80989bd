//! The store of every process in these tests: it sees which streams are read and which are checked under the lock, and lets
//! something happen just before a stream is read or the head is locked.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;
use viral_store::{
    Check, Continuity, EventStore, Head, LockedHead, MemoryStore, Position, Snapshot, StoreError, StoredEvent, StreamId,
};

/// What happens meanwhile.
pub(crate) type Deed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store that is watched.
pub(crate) struct Spy {
    store: MemoryStore,
    read: Mutex<HashSet<StreamId>>,
    checked: Arc<Mutex<HashSet<StreamId>>>,
    locks: AtomicUsize,
    before_read: Mutex<Option<(StreamId, Deed)>>,
    before_lock: Mutex<Option<(usize, Deed)>>,
    unwanted: Mutex<Option<&'static str>>,
}

impl Spy {
    pub(crate) fn on(store: &MemoryStore) -> Arc<Spy> {
        Arc::new(Spy {
            store: store.clone(),
            read: Mutex::default(),
            checked: Arc::default(),
            locks: AtomicUsize::new(0),
            before_read: Mutex::default(),
            before_lock: Mutex::default(),
            unwanted: Mutex::default(),
        })
    }

    /// Lets this happen just before the stream is read for the next time.
    pub(crate) fn before_read(&self, stream: StreamId, deed: impl Future<Output = ()> + Send + 'static) {
        *self.before_read.lock().unwrap() = Some((stream, Box::pin(deed)));
    }

    /// Lets this happen just before the head is locked for the n-th time from now on, counted from 1.
    pub(crate) fn before_lock(&self, nth: usize, deed: impl Future<Output = ()> + Send + 'static) {
        self.locks.store(0, Ordering::SeqCst);
        *self.before_lock.lock().unwrap() = Some((nth, Box::pin(deed)));
    }

    /// Refuses every append of an event with this text, as a database refuses what its encoding cannot hold.
    pub(crate) fn refuse(&self, unwanted: &'static str) {
        *self.unwanted.lock().unwrap() = Some(unwanted);
    }

    /// How often the head was locked since then.
    pub(crate) fn locks(&self) -> usize {
        self.locks.load(Ordering::SeqCst)
    }

    /// Whether what was to happen has happened.
    pub(crate) fn is_done(&self) -> bool {
        self.before_read.lock().unwrap().is_none() && self.before_lock.lock().unwrap().is_none()
    }

    /// Forgets what was read and checked so far.
    pub(crate) fn forget(&self) {
        self.read.lock().unwrap().clear();
        self.checked.lock().unwrap().clear();
    }

    /// Every stream that was read was checked under the lock, too.
    pub(crate) fn assert_all_checked(&self) {
        let (read, checked) = (self.read.lock().unwrap(), self.checked.lock().unwrap());
        let missing: Vec<_> = read.difference(&checked).collect();
        assert!(
            missing.is_empty(),
            "loaded, but neither an event nor a guard: {missing:?}"
        );
    }
}

impl fmt::Debug for Spy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spy")
    }
}

#[async_trait]
impl EventStore for Spy {
    fn source(&self) -> &str {
        self.store.source()
    }

    fn continuity(&self) -> &Continuity {
        self.store.continuity()
    }

    async fn clock(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.store.clock().await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.store.head().await
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.read_after(after, limit).await
    }

    async fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let deed = self.before_read.lock().unwrap().take_if(|(wanted, _)| wanted == stream);
        if let Some((_, deed)) = deed {
            deed.await;
        }
        self.read.lock().unwrap().insert(stream.clone());
        self.store.read_stream(stream, after, limit).await
    }

    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        self.store.find(event_id).await
    }

    async fn lock(&self) -> Result<Box<dyn LockedHead>, StoreError> {
        let lock = self.locks.fetch_add(1, Ordering::SeqCst) + 1;
        let deed = self.before_lock.lock().unwrap().take_if(|(nth, _)| *nth == lock);
        if let Some((_, deed)) = deed {
            deed.await;
        }
        Ok(Box::new(Watched {
            head: self.store.lock().await?,
            checked: self.checked.clone(),
            unwanted: *self.unwanted.lock().unwrap(),
        }))
    }

    async fn wait_for(&self, after: Position, timeout: Duration) -> Result<Head, StoreError> {
        self.store.wait_for(after, timeout).await
    }

    async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.store.save_snapshot(snapshot).await
    }

    async fn snapshot_at(&self, at_most: Position) -> Result<Option<Snapshot>, StoreError> {
        self.store.snapshot_at(at_most).await
    }
}

struct Watched {
    head: Box<dyn LockedHead>,
    checked: Arc<Mutex<HashSet<StreamId>>>,
    unwanted: Option<&'static str>,
}

#[async_trait]
impl LockedHead for Watched {
    fn head(&self) -> Head {
        self.head.head()
    }

    fn now(&self) -> Option<DateTime<Utc>> {
        self.head.now()
    }

    async fn read_after(&mut self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.head.read_after(after, limit).await
    }

    async fn check(&mut self, ids: &[Uuid], streams: &[StreamId]) -> Result<Check, StoreError> {
        self.checked.lock().unwrap().extend(streams.iter().cloned());
        self.head.check(ids, streams).await
    }

    async fn append(self: Box<Self>, events: &[StoredEvent]) -> Result<Head, StoreError> {
        let unwanted = |event: &StoredEvent| self.unwanted.is_some_and(|text| event.payload.contains(text));
        if let Some(event) = events.iter().find(|event| unwanted(event)) {
            return Err(StoreError::Refused(format!("position {}", event.position)));
        }
        self.head.append(events).await
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        self.head.release().await
    }
}
