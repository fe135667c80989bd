//! A process of eight writers that append to the log as roughly as they can: `appender URL NAME EVENTS`.
//!
//! Some transactions are rolled back, some connections are dropped in the middle. What is written is known by looking
//! ids up, as the platform's writer does it. Prints how many events each of its streams has in the end.

use chrono::Utc;
use std::sync::Arc;
use uuid::Uuid;
use viral_store::kurrentdb::{KurrentStore, Options};
use viral_store::{EventStore, Head, Metadata, Position, PostgresStore, StoreError, StoredEvent, StreamId};

const WRITERS: usize = 8;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (url, name, events) = (
        arguments[1].clone(),
        arguments[2].clone(),
        arguments[3].parse::<u64>().unwrap(),
    );
    let tasks: Vec<_> = (0..WRITERS)
        .map(|n| tokio::spawn(write(url.clone(), format!("{name}-{n}"), events / WRITERS as u64)))
        .collect();
    for task in tasks {
        let (stream, written) = task.await.unwrap();
        println!("{stream} {written}");
    }
}

async fn write(url: String, name: String, events: u64) -> (String, u64) {
    let store = open(&url).await;
    let store = store.as_ref();
    let stream = StreamId::new("appended", name.clone());
    let mut written = 0;
    let mut round = name.bytes().map(u64::from).sum::<u64>();
    while written < events {
        round += 1;
        let count = (1 + round * 7_919 % 97).min(events - written);
        match try_write(store, &stream, written, count, round).await {
            Ok(true) => written += count,
            Ok(false) => {}
            // The connection was cut, perhaps in the middle of the commit: the stream tells what became of it.
            Err(_) => written = last_sequence(store, &stream).await,
        }
    }
    (name, written)
}

async fn open(url: &str) -> Arc<dyn EventStore> {
    if !url.starts_with("kurrentdb") {
        return Arc::new(PostgresStore::connect(url).await.unwrap());
    }
    // Connections are cut there from the beginning.
    loop {
        match KurrentStore::open(url, Options::default()).await {
            Ok(store) => return Arc::new(store),
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
}

async fn try_write(
    store: &dyn EventStore,
    stream: &StreamId,
    written: u64,
    count: u64,
    round: u64,
) -> Result<bool, StoreError> {
    let locked = store.lock().await?;
    let events = events(stream, locked.head(), written, count);
    match round % 20 {
        0 => locked.release().await.map(|()| false),
        1 => Ok(false), // dropped with the connection, nothing sent
        2 => {
            // Cut off in the middle of the append: the future is dropped at a point that changes from round to round.
            let cut = std::time::Duration::from_micros(round * 37 % 3_000);
            match tokio::time::timeout(cut, locked.append(&events)).await {
                Ok(result) => result.map(|_| true),
                Err(_) => Err(StoreError::Unavailable("cut off on purpose".to_owned())),
            }
        }
        _ => locked.append(&events).await.map(|_| true),
    }
}

/// Waits for whatever still holds the head, then looks.
async fn last_sequence(store: &dyn EventStore, stream: &StreamId) -> u64 {
    loop {
        if let Ok(mut locked) = store.lock().await
            && let Ok(check) = locked.check(&[], std::slice::from_ref(stream)).await
            && locked.release().await.is_ok()
        {
            return check.sequences[0];
        }
    }
}

fn events(stream: &StreamId, head: Head, written: u64, count: u64) -> Vec<StoredEvent> {
    let unit_id = Uuid::now_v7();
    let metadata = Metadata {
        unit_id,
        ..Metadata::default()
    };
    let metadata = serde_json::to_string(&metadata).unwrap();
    (1..=count)
        .map(|n| StoredEvent {
            position: Position(head.position.0 + n),
            event_id: if n == 1 { unit_id } else { Uuid::now_v7() },
            stream: stream.clone(),
            sequence: written + n,
            event_type: "appended.something".into(),
            event_version: "1".into(),
            payload: r#"{"type":"appended.something"}"#.to_owned(),
            metadata: metadata.clone(),
            recorded_at: viral_ledger::timestamp::truncate(Utc::now()).max(head.recorded_at),
        })
        .collect()
}
