//! What a unit promises: all or nothing, once, and only on the streams as the caller saw them.

use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use viral_commands::{AppendError, Guard, NewEvent, Outcome, Part, Rejection, Settings, Unit, Writer};
use viral_ledger::Command;
use viral_store::{EventStore, Position, StreamId};
use viral_tests::samples::{notes, open, post, transfer};

type Store = Arc<dyn EventStore>;

async fn writer(store: &Store) -> Writer {
    Writer::start(store.clone(), Settings::default()).await.unwrap().0
}

fn stream(id: &'static str) -> StreamId {
    StreamId::new("note", id)
}

async fn head(store: &Store) -> u64 {
    store.head().await.unwrap().position.0
}

pub async fn several_streams_are_appended_as_one(store: Store) {
    let writer = writer(&store).await;
    let (a, b) = (stream("a"), stream("b"));
    let parts = vec![notes(&a, 0, &["1", "2"]), notes(&b, 0, &["3"]), notes(&a, 2, &["4"])];
    let mut unit = Unit::new(Uuid::now_v7(), parts)
        .with_actor("tester")
        .with_request_hash("h");
    unit.correlation_id = Some("c".to_owned());
    let outcome = writer.append(unit.clone()).await.unwrap();
    assert!(!outcome.is_duplicate());
    let events = outcome.events();
    assert_eq!(events, store.read_after(Position::START, 10).await.unwrap());
    assert_eq!(events[0].event_id, unit.id);
    let places: Vec<_> = events
        .iter()
        .map(|e| (e.position.0, e.stream.to_string(), e.sequence))
        .collect();
    let expected = [(1, "note/a", 1), (2, "note/a", 2), (3, "note/b", 1), (4, "note/a", 3)];
    assert_eq!(
        places,
        expected.map(|(position, stream, sequence)| (position, stream.to_owned(), sequence))
    );
    for event in events {
        let text = format!(
            r#"{{"actor":"tester","correlationid":"c","requesthash":"h","unitid":"{}"}}"#,
            unit.id
        );
        assert_eq!(event.metadata, text);
    }
}

pub async fn a_stream_that_moved_is_a_conflict(store: Store) {
    let writer = writer(&store).await;
    let (a, b) = (stream("a"), stream("b"));
    writer
        .append(Unit::new(Uuid::now_v7(), vec![notes(&a, 0, &["1"])]))
        .await
        .unwrap();
    for expected in [0, 2] {
        let parts = vec![notes(&b, 0, &["x"]), notes(&a, expected, &["y"])];
        let error = writer.append(Unit::new(Uuid::now_v7(), parts)).await.unwrap_err();
        assert_eq!(
            error,
            AppendError::Conflict {
                stream: a.clone(),
                expected,
                actual: 1
            }
        );
    }
    assert_eq!(head(&store).await, 1);
    // Two units of one batch that want the same place: one of them loses.
    let units = ["1", "2"].map(|text| Unit::new(Uuid::now_v7(), vec![notes(&b, 0, &[text])]));
    let outcomes = writer.append_all(units.to_vec()).await;
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    assert_eq!(
        outcomes[1],
        Err(AppendError::Conflict {
            stream: b,
            expected: 0,
            actual: 1
        })
    );
}

pub async fn a_guard_that_moved_is_a_conflict(store: Store) {
    let writer = writer(&store).await;
    let (a, b) = (stream("a"), stream("b"));
    writer
        .append(Unit::new(Uuid::now_v7(), vec![notes(&a, 0, &["1"])]))
        .await
        .unwrap();
    let guarded = |sequence| {
        let mut unit = Unit::new(Uuid::now_v7(), vec![notes(&b, 0, &["x"])]);
        unit.guards = vec![Guard {
            stream: a.clone(),
            sequence,
        }];
        unit
    };
    let error = writer.append(guarded(0)).await.unwrap_err();
    assert_eq!(
        error,
        AppendError::Conflict {
            stream: a.clone(),
            expected: 0,
            actual: 1
        }
    );
    assert_eq!(head(&store).await, 1);
    writer.append(guarded(1)).await.unwrap();
    assert_eq!(head(&store).await, 2);
}

pub async fn the_same_unit_is_appended_once(store: Store) {
    let first = writer(&store).await;
    let parts = vec![notes(&stream("a"), 0, &["1", "2"]), notes(&stream("b"), 0, &["3"])];
    let unit = Unit::new(Uuid::now_v7(), parts).with_request_hash("h");
    let outcome = first.append(unit.clone()).await.unwrap();
    first
        .append(Unit::new(Uuid::now_v7(), vec![notes(&stream("c"), 0, &["4"])]))
        .await
        .unwrap();
    // By the same process, and by another one that has nothing in memory.
    for writer in [first.clone(), writer(&store).await] {
        let again = writer.append(unit.clone()).await.unwrap();
        assert_eq!(again, Outcome::Duplicate(outcome.events().to_vec()));
    }
    assert_eq!(head(&store).await, 4);
}

pub async fn another_request_with_the_same_id_is_refused(store: Store) {
    let writer = writer(&store).await;
    let unit = Unit::new(Uuid::now_v7(), vec![notes(&stream("a"), 0, &["1"])]).with_request_hash("one");
    let outcome = writer.append(unit.clone()).await.unwrap();
    let mut none = unit.clone();
    none.request_hash = None;
    for other in [unit.clone().with_request_hash("two"), none] {
        let error = writer.append(other).await.unwrap_err();
        assert_eq!(error, AppendError::KeyReused { position: Position(1) });
    }
    // The id of an event that is not the first of its unit is no unit's id.
    let parts = vec![notes(&stream("b"), 0, &["1", "2"])];
    let two = writer.append(Unit::new(Uuid::now_v7(), parts)).await.unwrap();
    let second = Unit::new(two.events()[1].event_id, vec![notes(&stream("c"), 0, &["1"])]);
    assert!(matches!(
        writer.append(second).await,
        Err(AppendError::KeyReused { .. })
    ));
    assert_eq!(head(&store).await, outcome.events()[0].position.0 + 2);
}

pub async fn duplicates_are_found_within_one_batch(store: Store) {
    let writer = writer(&store).await;
    let unit = Unit::new(Uuid::now_v7(), vec![notes(&stream("a"), 0, &["1"])]).with_request_hash("one");
    let other = unit.clone().with_request_hash("two");
    let outcomes = writer.append_all(vec![unit.clone(), unit, other]).await;
    let events = outcomes[0].as_ref().unwrap().events().to_vec();
    assert_eq!(outcomes[1], Ok(Outcome::Duplicate(events)));
    assert_eq!(outcomes[2], Err(AppendError::KeyReused { position: Position(1) }));
    assert_eq!(head(&store).await, 1);
}

pub async fn an_empty_unit_is_refused(store: Store) {
    let writer = writer(&store).await;
    for parts in [vec![], vec![notes(&stream("a"), 0, &[])]] {
        let error = writer.append(Unit::new(Uuid::now_v7(), parts)).await.unwrap_err();
        assert_eq!(error, AppendError::Rejected(Rejection::Empty));
    }
    assert_eq!(head(&store).await, 0);
}

pub async fn an_event_that_is_too_large_is_refused(store: Store) {
    let writer = writer(&store).await;
    let unit_of = |length: usize| {
        let part = notes(&stream("a"), 0, &["small", &"x".repeat(length)]);
        Unit::new(Uuid::now_v7(), vec![part])
    };
    let error = writer.append(unit_of(66_000)).await.unwrap_err();
    assert!(matches!(error, AppendError::Rejected(Rejection::Line(_))), "{error}");
    assert_eq!(head(&store).await, 0);
    writer.append(unit_of(64_000)).await.unwrap();
}

pub async fn a_derived_id_happens_once(store: Store) {
    let writer = writer(&store).await;
    writer.append(open("a", true)).await.unwrap();
    writer.append(open("b", true)).await.unwrap();
    let consequence = Uuid::now_v7();
    let unit = |stream_id: &'static str| {
        let part = Part::Ledger {
            id: Some(consequence),
            command: post("a", "b", "1"),
        };
        Unit::new(Uuid::now_v7(), vec![notes(&stream(stream_id), 0, &["cause"]), part])
    };
    let outcome = writer.append(unit("x")).await.unwrap();
    assert_eq!(outcome.events()[1].event_id, consequence);
    let again = writer.append(unit("y")).await.unwrap_err();
    let happened = AppendError::Rejected(Rejection::AlreadyHappened {
        id: consequence,
        position: Position(4),
    });
    assert_eq!(again, happened);
    assert_eq!(head(&store).await, 4);
}

pub async fn times_never_go_back(store: Store) {
    let time = Arc::new(Mutex::new(
        "2026-05-01T12:00:00.123456789Z".parse::<DateTime<Utc>>().unwrap(),
    ));
    let clock = {
        let time = time.clone();
        Arc::new(move || *time.lock().unwrap())
    };
    let settings = Settings {
        clock: Some(clock),
        ..Settings::default()
    };
    let (writer, _task) = Writer::start(store.clone(), settings).await.unwrap();
    let mut times = Vec::new();
    for (n, seconds) in [0, -60, 1].into_iter().enumerate() {
        *time.lock().unwrap() += chrono::TimeDelta::seconds(seconds);
        let part = notes(&stream("a"), n as u64, &["x"]);
        let outcome = writer.append(Unit::new(Uuid::now_v7(), vec![part])).await.unwrap();
        times.push(outcome.events()[0].recorded_at.to_rfc3339());
    }
    // Cut to microseconds, held while the clock is behind.
    assert_eq!(times, ["2026-05-01T12:00:00.123456+00:00"; 3]);
}

pub async fn streams_of_the_book_take_ledger_commands_only(store: Store) {
    let writer = writer(&store).await;
    let book = StreamId::new("book", "main");
    let event = NewEvent::new("book.made_up", "1", &serde_json::json!({"type": "book.made_up"})).unwrap();
    let part = Part::Events {
        stream: book.clone(),
        expected: 0,
        events: vec![event],
    };
    let error = writer.append(Unit::new(Uuid::now_v7(), vec![part])).await.unwrap_err();
    assert_eq!(error, AppendError::Rejected(Rejection::ReservedStream(book)));
    let mut guarded = Unit::new(Uuid::now_v7(), vec![notes(&stream("a"), 0, &["x"])]);
    guarded.guards = vec![Guard {
        stream: StreamId::new("book", "main"),
        sequence: 0,
    }];
    let error = writer.append(guarded).await.unwrap_err();
    assert!(
        matches!(error, AppendError::Rejected(Rejection::ReservedStream(_))),
        "{error}"
    );
    let error = writer.append(transfer("nobody", "none", "1")).await.unwrap_err();
    assert!(matches!(error, AppendError::Rejected(Rejection::Ledger(_))), "{error}");
    let unknown = Command::VoidHold {
        hold: Uuid::now_v7(),
        reason: None,
    };
    assert!(writer.append(Unit::ledger(Uuid::now_v7(), unknown)).await.is_err());
    assert_eq!(head(&store).await, 0);
}

pub async fn names_and_ids_that_no_store_could_keep_are_refused(store: Store) {
    let writer = writer(&store).await;
    let long = "x".repeat(201);
    for name in ["", "a\0b", "a\nb", &long] {
        let part = notes(&StreamId::new("note", name.to_owned()), 0, &["x"]);
        let neighbour = Unit::new(
            Uuid::now_v7(),
            vec![notes(&StreamId::new("note", Uuid::now_v7().to_string()), 0, &["x"])],
        );
        let outcomes = writer
            .append_all(vec![Unit::new(Uuid::now_v7(), vec![part]), neighbour])
            .await;
        assert_eq!(
            outcomes[0],
            Err(AppendError::Rejected(Rejection::InvalidStream(
                name.chars().take(64).collect()
            )))
        );
        assert!(outcomes[1].is_ok(), "a neighbour suffers: {outcomes:?}");
    }
    // The same id twice in one unit.
    for account in ["a", "b"] {
        writer.append(open(account, true)).await.unwrap();
    }
    let before = head(&store).await;
    let id = Some(Uuid::now_v7());
    let part = |amount| Part::Ledger {
        id,
        command: post("a", "b", amount),
    };
    let unit = Unit::new(
        Uuid::now_v7(),
        vec![notes(&stream("n"), 0, &["x"]), part("1"), part("2")],
    );
    let error = writer.append(unit).await.unwrap_err();
    assert!(
        matches!(error, AppendError::Rejected(Rejection::AlreadyHappened { .. })),
        "{error}"
    );
    assert_eq!(head(&store).await, before);
}
