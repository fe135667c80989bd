//! Reading, locking and snapshots: what an adapter does by itself.

use chrono::DateTime;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;
use viral_commands::{Settings, Unit, Writer};
use viral_store::{Digest, EventStore, Metadata, Position, Selection, Snapshot, StoreError, StoredEvent, StreamId};
use viral_tests::hold::PATIENCE;
use viral_tests::samples::notes;

type Store = Arc<dyn EventStore>;

pub async fn an_empty_log_has_no_events(store: Store) {
    let head = store.head().await.unwrap();
    assert_eq!(
        (head.position, head.recorded_at),
        (Position::START, DateTime::UNIX_EPOCH)
    );
    assert_eq!(store.read_after(Position::START, 10).await.unwrap(), []);
    assert_eq!(store.find(Uuid::now_v7()).await.unwrap(), None);
    let id = store.source().strip_prefix("urn:viral:log:").unwrap();
    assert!(id.parse::<Uuid>().is_ok(), "{id}");
}

pub async fn events_are_read_in_pages_streams_and_by_id(store: Store) {
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let (a, b) = (StreamId::new("note", "a"), StreamId::new("note", "b"));
    for n in 0..10 {
        let parts = vec![notes(&a, n, &["for a: ü \"quoted\" \\"]), notes(&b, n, &["for b"])];
        writer.append(Unit::new(Uuid::now_v7(), parts)).await.unwrap();
    }
    let all = store.read_after(Position::START, 100).await.unwrap();
    assert_eq!(
        all.iter().map(|e| e.position.0).collect::<Vec<_>>(),
        (1..=20).collect::<Vec<_>>()
    );
    assert_eq!(
        all[0].payload,
        r#"{"text":"for a: ü \"quoted\" \\","type":"note.taken"}"#
    );
    assert_eq!(store.read_after(Position(7), 4).await.unwrap(), all[7..11]);
    assert_eq!(store.read_after(Position(20), 4).await.unwrap(), []);

    let of_b: Vec<StoredEvent> = all.iter().filter(|e| e.stream == b).cloned().collect();
    assert_eq!(store.read_stream(&b, 0, 100).await.unwrap(), of_b);
    assert_eq!(store.read_stream(&b, 8, 1).await.unwrap(), of_b[8..9]);
    assert_eq!(store.find(all[12].event_id).await.unwrap().as_ref(), Some(&all[12]));
    let head = store.head().await.unwrap();
    assert_eq!((head.position, head.recorded_at), (Position(20), all[19].recorded_at));
}

pub async fn waiting_ends_with_an_append_or_the_timeout(store: Store) {
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let began = Instant::now();
    let early = store
        .wait_for(Position::START, Duration::from_millis(30))
        .await
        .unwrap();
    assert_eq!(early.position, Position::START);
    // Who waits has begun to, each time, when the append begins.
    let stream = StreamId::new("note", "a");
    for n in 0..10 {
        let append = writer.append(Unit::new(Uuid::now_v7(), vec![notes(&stream, n, &["x"])]));
        let (woken, appended) = tokio::join!(store.wait_for(Position(n), 2 * PATIENCE), append);
        appended.unwrap();
        assert_eq!(woken.unwrap().position, Position(n + 1));
    }
    assert!(began.elapsed() < PATIENCE, "somebody slept until the timeout");
}

fn plain(position: u64, sequence: u64) -> StoredEvent {
    let id = Uuid::now_v7();
    let metadata = Metadata {
        unit_id: id,
        ..Metadata::default()
    };
    StoredEvent {
        position: Position(position),
        event_id: id,
        stream: StreamId::new("note", "plain"),
        sequence,
        event_type: "note.taken".into(),
        event_version: "1".into(),
        payload: r#"{"type":"note.taken"}"#.to_owned(),
        metadata: serde_json::to_string(&metadata).unwrap(),
        recorded_at: "2026-01-01T00:00:00Z".parse().unwrap(),
    }
}

pub async fn a_lock_that_is_dropped_writes_nothing(store: Store) {
    let locked = store.lock().await.unwrap();
    let is_dropped = AtomicBool::new(false);
    let waiting = async {
        let head = store.lock().await.unwrap().head();
        assert!(is_dropped.load(Ordering::Relaxed), "the head was locked twice");
        head
    };
    // It waits, unless it can lock the head a second time.
    let (head, ()) = tokio::join!(waiting, async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        is_dropped.store(true, Ordering::Relaxed);
        drop(locked);
    });
    assert_eq!(head.position, Position::START);
    let locked = store.lock().await.unwrap();
    locked.release().await.unwrap();
    store.lock().await.unwrap().append(&[plain(1, 1)]).await.unwrap();
    assert_eq!(store.head().await.unwrap().position, Position(1));
}

pub async fn an_append_that_would_leave_a_gap_is_refused(store: Store) {
    for events in [vec![plain(2, 1)], vec![]] {
        let error = store.lock().await.unwrap().append(&events).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    }
    let twice = plain(1, 1);
    store
        .lock()
        .await
        .unwrap()
        .append(std::slice::from_ref(&twice))
        .await
        .unwrap();
    let same_id = StoredEvent {
        position: Position(2),
        sequence: 2,
        ..twice
    };
    for events in [vec![same_id], vec![plain(2, 1)], vec![plain(2, 3)]] {
        // A sequence that skips is the writer's business in PostgreSQL; a doubled one never gets in.
        if events[0].sequence == 3 {
            continue;
        }
        let error = store.lock().await.unwrap().append(&events).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    }
    assert_eq!(store.head().await.unwrap().position, Position(1));
}

pub async fn snapshots_are_found_by_position(store: Store) {
    assert_eq!(store.snapshot_at(Position(100)).await.unwrap(), None);
    let snapshot = |position: u64, state: &str| Snapshot {
        position: Position(position),
        state: state.to_owned(),
        digest: Some(Digest([position as u8; 32])),
    };
    for (position, state) in [(10, "ten"), (20, "twenty"), (10, "ten again")] {
        store.save_snapshot(&snapshot(position, state)).await.unwrap();
    }
    assert_eq!(store.snapshot_at(Position(9)).await.unwrap(), None);
    assert_eq!(
        store.snapshot_at(Position(19)).await.unwrap(),
        Some(snapshot(10, "ten again"))
    );
    assert_eq!(
        store.snapshot_at(Position(u64::MAX)).await.unwrap(),
        Some(snapshot(20, "twenty"))
    );
}

pub async fn a_selection_is_in_order_and_has_nothing_twice(store: Store) {
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|id| StreamId::new("note", id));
    for n in 0..4 {
        let parts = [&a, &b, &c].map(|stream| notes(stream, n, &["x"])).to_vec();
        writer.append(Unit::new(Uuid::now_v7(), parts)).await.unwrap();
    }
    let all = store.read_after(Position::START, 100).await.unwrap();
    let selection = Selection {
        streams: vec![c.clone(), a.clone(), a, StreamId::new("note", "nobody")],
        ids: vec![all[4].event_id, all[0].event_id, Uuid::now_v7()],
        positions: [8, 1, 0, 13, u64::MAX].map(Position).to_vec(),
    };
    let found = async |after, up_to, limit| {
        let events = store.select(&selection, Position(after), Position(up_to), limit).await;
        let events = events.unwrap();
        assert!(events.iter().all(|event| *event == all[event.position.0 as usize - 1]));
        events.iter().map(|event| event.position.0).collect::<Vec<_>>()
    };
    assert_eq!(found(0, u64::MAX, 100).await, [1, 3, 4, 5, 6, 7, 8, 9, 10, 12]);
    assert_eq!(found(3, 10, 4).await, [4, 5, 6, 7]);
    assert_eq!(found(9, 10, 4).await, [10]);
    assert_eq!(found(12, 12, 4).await, [0; 0]);
    let nothing = store
        .select(&Selection::default(), Position::START, Position(12), 5)
        .await;
    assert_eq!(nothing.unwrap(), []);
}
