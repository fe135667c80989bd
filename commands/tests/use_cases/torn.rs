//! Aggregates are loaded one after the other. What another process does in between must not make a refusal of a state that
//! never was.

use crate::stage::{Stage, rejection, submission};
use crate::world::id;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;
use viral_commands::{Commands, Settings, Vault, Writer};
use viral_domain::Aggregate as _;
use viral_domain::assignment::Assignment;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, Terms};
use viral_store::{
    Continuity, EventStore, Head, LockedHead, MemoryStore, Position, Snapshot, StoreError, StoredEvent, StreamId,
};

type Deed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store in which something is done just before a stream is read for the first time.
struct Meanwhile {
    store: MemoryStore,
    stream: StreamId,
    deed: Mutex<Option<Deed>>,
}

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

#[async_trait]
impl EventStore for Meanwhile {
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
        if *stream == self.stream {
            let deed = self.deed.lock().unwrap().take();
            if let Some(deed) = deed {
                deed.await;
            }
        }
        self.store.read_stream(stream, after, limit).await
    }

    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        self.store.find(event_id).await
    }

    async fn lock(&self) -> Result<Box<dyn LockedHead>, StoreError> {
        self.store.lock().await
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

/// The campaign is loaded while the work has its place; then it is rejected, which frees the place; then the assignment is
/// loaded, which asks for a place anew. At no moment did it have one and need one.
#[tokio::test]
async fn a_refusal_that_no_moment_justifies_is_decided_anew() {
    let stage = Stage::new().await;
    stage.buys("100.00").await;
    let (_, mission) = stage.published("100", 1, "500").await;
    let creator = stage.world.user(Role::Creator).await;
    stage.submitted(mission, &creator).await;
    let assignment = AssignmentId::of(mission, id(&creator));
    let (world, sponsor) = (stage.world.clone(), stage.sponsor.clone());
    let store = Arc::new(Meanwhile {
        store: world.store.clone(),
        stream: StreamId::new(Assignment::TYPE, assignment.0.to_string()),
        deed: Mutex::new(Some(Box::pin(async move {
            world.must(&sponsor, &rejection(assignment)).await;
        }))),
    });
    let (writer, _) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let vault = Vault::new(Arc::new(stage.world.store.clone()), &[42; 32]);
    let now = stage.world.now();
    let other = Commands::new(writer, Terms::default(), vault).with_clock(Arc::new(move || now));
    let outcome = other
        .run(&creator, &stage.world.request(), &submission(mission))
        .await
        .unwrap();
    assert!(store.deed.lock().unwrap().is_none(), "nothing happened in between");
    assert!(!outcome.is_duplicate());
}
