//! Stores and writers over a fake.

use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use viral_commands::{Settings, Unit, Writer};
use viral_store::kurrentdb::{KurrentStore, Options};
use viral_store::{EventStore, Position, StoreError, StoredEvent, StreamId};
use viral_tests::kurrentdb::Fake;
use viral_tests::samples::notes;

/// The stream with the log.
pub const LOG: &str = "viral-log";

/// A store that gives up on a call soon, but not on one that a busy machine answers.
pub fn hasty() -> Options {
    Options {
        deadline: Duration::from_secs(3),
        ..Options::default()
    }
}

pub async fn store(fake: &Fake) -> Arc<KurrentStore> {
    store_with(fake, Options::default()).await
}

pub async fn store_with(fake: &Fake, options: Options) -> Arc<KurrentStore> {
    Arc::new(KurrentStore::open_or_create(&fake.url(), options).await.unwrap())
}

pub async fn writer(store: &Arc<KurrentStore>) -> Writer {
    Writer::start(store.clone(), Settings::default()).await.unwrap().0
}

/// A unit with one event of a stream.
pub fn said(stream: &'static str, expected: u64, text: &str) -> Unit {
    let stream = StreamId::new("note", stream);
    Unit::new(Uuid::now_v7(), vec![notes(&stream, expected, &[text])])
}

/// The whole log.
pub async fn all(store: &dyn EventStore) -> Vec<StoredEvent> {
    store.read_after(Position::START, usize::MAX).await.unwrap()
}

/// Why the log of a fake cannot be opened.
pub async fn refusal(fake: &Fake) -> StoreError {
    match KurrentStore::open(&fake.url(), hasty()).await {
        Ok(store) => panic!("{store:?} was opened"),
        Err(error) => error,
    }
}

/// A fake with a log of three records, of one event each.
pub async fn with_history() -> Fake {
    let fake = Fake::start().await;
    let writer = writer(&store(&fake).await).await;
    for n in 0..3 {
        writer.append(said("a", n, "once upon a time")).await.unwrap();
    }
    assert_eq!(fake.len(LOG), 4);
    fake
}
