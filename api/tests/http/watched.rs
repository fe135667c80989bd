//! What requests cost the store, and the threads that answer them.

use crate::support::{Api, TOKEN};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use tower::ServiceExt;
use viral_api::{AppState, Role, Tokens, router};
use viral_commands::{Commands, Settings, Vault, Writer};
use viral_domain::Terms;
use viral_store::{
    Continuity, EventStore, Head, LockedHead, MemoryStore, Position, Snapshot, StoreError, StoredEvent, StreamId,
};

/// A store that counts the questions for its head, and keeps the thread that asks for a snapshot busy if it is told to.
#[derive(Debug)]
struct Watched {
    store: Arc<MemoryStore>,
    heads: AtomicU64,
    /// Ends when the sender is dropped, and gives up after a while: the test fails then.
    busy: Mutex<Option<mpsc::Receiver<()>>>,
    gave_up: AtomicU64,
}

#[async_trait]
impl EventStore for Watched {
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
        self.heads.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        self.store.head().await
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.read_after(after, limit).await
    }

    async fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.read_stream(stream, after, limit).await
    }

    async fn find(&self, event_id: uuid::Uuid) -> Result<Option<StoredEvent>, StoreError> {
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
        let busy = self.busy.lock().unwrap().take();
        if let Some(busy) = busy
            && busy.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            self.gave_up.fetch_add(1, Ordering::Relaxed);
        }
        self.store.snapshot_at(at_most).await
    }
}

/// An API over the log of `api`, through a store that is watched.
async fn watched(api: &Api) -> (Router, AppState, Arc<Watched>) {
    let store = Arc::new(Watched {
        store: api.store.clone(),
        heads: AtomicU64::new(0),
        busy: Mutex::default(),
        gave_up: AtomicU64::new(0),
    });
    let (writer, _) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let mut tokens = Tokens::new();
    tokens.add(TOKEN, "operator", Role::Admin).unwrap();
    let vault = Vault::new(api.store.clone(), &[9; 32]);
    let state = AppState::new(Commands::new(writer, Terms::default(), vault), tokens);
    (router(state.clone()), state, store)
}

async fn get(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).header("authorization", format!("Bearer {TOKEN}"));
    let response = router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Waits until a book is being computed.
async fn is_computing(store: &Watched) {
    while store.busy.lock().unwrap().is_some() {
        tokio::task::yield_now().await;
    }
}

/// The only thread that answers requests is this test's.
#[tokio::test]
async fn other_requests_are_answered_while_a_book_is_computed() {
    let api = Api::with_money().await;
    let (router, _state, store) = watched(&api).await;
    let (done, busy) = mpsc::channel();
    *store.busy.lock().unwrap() = Some(busy);
    let (past, health) = tokio::join!(get(&router, "/v1/ledger/accounts/alice/balance?as_of=5"), async {
        is_computing(&store).await;
        let health = get(&router, "/healthz").await;
        drop(done);
        health
    });
    assert_eq!((past.0, health.0), (200, 200), "{past:?}");
    assert!(past.1.contains("\"balance\":\"100.00\""), "{past:?}");
    assert_eq!(store.gave_up.load(Ordering::Relaxed), 0, "the thread was held");
}

#[tokio::test]
async fn a_book_is_computed_to_its_end_though_the_caller_has_gone() {
    let api = Api::with_money().await;
    let (router, _state, store) = watched(&api).await;
    let (done, busy) = mpsc::channel();
    *store.busy.lock().unwrap() = Some(busy);
    let path = "/v1/ledger/accounts/alice/balance?as_of=5";
    tokio::select! {
        answer = get(&router, path) => panic!("{answer:?}"),
        () = is_computing(&store) => {}
    }
    drop(done);
    // Whoever asks while it is computed may compute it too; afterwards nobody does.
    assert_eq!(get(&router, path).await.0, 200);
    let (_done, busy) = mpsc::channel();
    *store.busy.lock().unwrap() = Some(busy);
    assert_eq!(get(&router, path).await.0, 200);
    assert!(store.busy.lock().unwrap().is_some(), "it was computed again");
}

#[tokio::test]
async fn readiness_is_asked_once_in_a_second() {
    let api = Api::new().await;
    let (router, state, store) = watched(&api).await;
    let asked = || store.heads.swap(0, Ordering::Relaxed);
    asked(); // what the writer asked as it started
    let began = Instant::now();
    get(&router, "/readyz").await;
    let each = asked();
    assert!(each > 0);
    for _ in 0..20 {
        assert_eq!(get(&router, "/readyz").await, (200, r#"{"status":"ready"}"#.to_owned()));
    }
    // Not once, unless this machine took longer than a second.
    assert!(asked() <= each * began.elapsed().as_secs());

    // Once more after a second, however many ask at the same time, and though the first of them hangs up.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    let first = tokio::spawn({
        let router = router.clone();
        async move { get(&router, "/readyz").await }
    });
    while store.heads.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let router = router.clone();
        all.spawn(async move { get(&router, "/readyz").await.0 });
    }
    assert!(all.join_all().await.into_iter().all(|status| status == 200));
    let times = asked() / each;
    assert!((1..=1 + began.elapsed().as_secs()).contains(&times), "{times}");
    drop(state);
}
