//! An append has a largest size: batches are split between units, and a unit that cannot be split is refused.

use super::support::{LOG, all, said, store_with, writer};
use uuid::Uuid;
use viral_commands::{AppendError, BookAt, Outcome, Rejection, Unit};
use viral_store::kurrentdb::Options;
use viral_store::{Digest, EventStore as _, Position, Snapshot, StreamId};
use viral_tests::kurrentdb::{Append, Fake};
use viral_tests::samples::{notes, open, transfer};

const LIMIT: usize = 4_000;

fn small() -> Options {
    Options {
        max_append_bytes: LIMIT,
        ..Options::default()
    }
}

/// A fake that takes no more than the store sends.
async fn narrow() -> Fake {
    let fake = Fake::start().await;
    fake.set_max_append_bytes(LIMIT);
    fake
}

fn units(count: u64) -> Vec<Unit> {
    (0..count)
        .map(|n| {
            let stream = StreamId::new("note", format!("stream-{n}"));
            Unit::new(Uuid::now_v7(), vec![notes(&stream, 0, &["one", "two", "three"])])
        })
        .collect()
}

#[tokio::test]
async fn a_batch_is_split_between_units() {
    let fake = narrow().await;
    let store = store_with(&fake, small()).await;
    let outcomes = writer(&store).await.append_all(units(40)).await;
    for outcome in outcomes {
        assert!(matches!(outcome, Ok(Outcome::Appended(_))), "{outcome:?}");
    }
    let records = fake.records(LOG);
    assert!(records.len() > 10 && records.len() < 40, "{} records", records.len());
    assert!(fake.largest_append() > LIMIT / 2 && fake.largest_append() <= LIMIT);
    for record in &records[1..] {
        let lines: Vec<serde_json::Value> = serde_json::from_slice(&record.data).unwrap();
        assert_eq!(lines.len() % 3, 0, "a unit is in two records");
    }
    assert_eq!(all(&*store).await.len(), 120);
    assert_eq!(all(&*store).await, all(&*store_with(&fake, small()).await).await);
}

/// A batch that ends half-way has appended whole units; all are acknowledged and there once.
#[tokio::test]
async fn a_batch_that_ends_half_way_is_finished() {
    for fault in [Append::AnswerLost, Append::Cut, Append::Unavailable] {
        let fake = narrow().await;
        let store = store_with(&fake, small()).await;
        let writer = writer(&store).await;
        fake.on_appends([Append::Fine, Append::Fine, fault]);
        for outcome in writer.append_all(units(40)).await {
            assert!(matches!(outcome, Ok(Outcome::Appended(_))), "{fault:?}: {outcome:?}");
        }
        assert!(fake.is_at_peace());
        assert_eq!(all(&*store).await.len(), 120, "{fault:?}");
    }
}

/// Another process gets in between two records of a batch: what is left is decided anew, on top of it.
#[tokio::test]
async fn a_batch_may_be_overtaken_in_the_middle() {
    let fake = narrow().await;
    let (one, two) = (store_with(&fake, small()).await, store_with(&fake, small()).await);
    let (split, other) = (writer(&one).await, writer(&two).await);
    fake.on_appends([Append::Fine, Append::Held]);
    let mut batch = units(40);
    // The last one expects a stream to be where the other process will have moved it.
    batch.push(said("contested", 0, "too late"));
    let appending = tokio::spawn(async move { split.append_all(batch).await });
    fake.held(1).await;
    other.append(said("contested", 0, "first")).await.unwrap();
    fake.release();
    let mut outcomes = appending.await.unwrap();
    let last = outcomes.pop().unwrap();
    assert!(matches!(last, Err(AppendError::Conflict { .. })), "{last:?}");
    for outcome in outcomes {
        assert!(matches!(outcome, Ok(Outcome::Appended(_))), "{outcome:?}");
    }
    assert_eq!(all(&*one).await.len(), 121);
    assert_eq!(all(&*one).await, all(&*two).await);
}

#[tokio::test]
async fn a_unit_that_is_too_large_is_refused_and_the_others_are_not() {
    let fake = narrow().await;
    let store = store_with(&fake, small()).await;
    let writer = writer(&store).await;
    let texts = vec!["x".repeat(500); 6];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let large = Unit::new(Uuid::now_v7(), vec![notes(&StreamId::new("note", "large"), 0, &texts)]);
    let mut batch = units(2);
    batch.insert(1, large.clone());
    for _ in 0..2 {
        let outcomes = writer.append_all(batch.clone()).await;
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
        let Err(AppendError::Rejected(Rejection::UnitTooLarge { bytes, limit })) = outcomes[1] else {
            panic!("{:?}", outcomes[1]);
        };
        assert!(bytes > limit && limit < LIMIT, "{bytes}, {limit}");
    }
    assert_eq!(all(&*store).await.len(), 6);
}

/// The largest unit that is not refused here is not refused by the server either.
#[tokio::test]
async fn what_is_just_small_enough_is_taken() {
    let fake = narrow().await;
    let store = store_with(&fake, small()).await;
    let writer = writer(&store).await;
    let stream = StreamId::new("note", "edge");
    let mut accepted = 0;
    let mut refused = 0;
    for length in (2_600..3_200).step_by(3) {
        let text = "x".repeat(length);
        let unit = Unit::new(Uuid::now_v7(), vec![notes(&stream, accepted, &["small", &text])]);
        match writer.append(unit).await {
            Ok(_) => accepted += 2,
            Err(AppendError::Rejected(Rejection::UnitTooLarge { .. })) => refused += 1,
            Err(error) => panic!("{length}: {error}"),
        }
    }
    assert!(accepted > 0 && refused > 0, "{accepted} events, {refused} refusals");
    assert!(fake.largest_append() <= LIMIT && fake.largest_append() > LIMIT - 300);
}

#[tokio::test]
async fn a_snapshot_may_be_larger_than_an_append() {
    let fake = narrow().await;
    let store = store_with(&fake, small()).await;
    let state: String = (0..3_000).map(|n| format!("account-{n}|ü|{n}\n")).collect();
    let snapshot = Snapshot {
        position: Position(7),
        state,
        digest: Some(Digest([7; 32])),
    };
    store.save_snapshot(&snapshot).await.unwrap();
    // Of the next one not every part arrives: it is never seen.
    fake.on_appends([Append::Fine, Append::Unavailable]);
    let next = Snapshot {
        position: Position(9),
        ..snapshot.clone()
    };
    store.save_snapshot(&next).await.unwrap_err();
    let again = store_with(&fake, small()).await;
    assert_eq!(again.snapshot_at(Position(100)).await.unwrap(), Some(snapshot.clone()));
    // One of which a part is gone is none.
    store.save_snapshot(&next).await.unwrap();
    assert_eq!(again.snapshot_at(Position(100)).await.unwrap(), Some(next));
    let listed = fake.records("viral-snapshots").pop().unwrap();
    let entry: serde_json::Value = serde_json::from_slice(&listed.data).unwrap();
    fake.change(entry["stream"].as_str().unwrap(), |parts| drop(parts.pop()));
    assert_eq!(again.snapshot_at(Position(100)).await.unwrap(), Some(snapshot));
}

#[tokio::test]
async fn a_book_starts_from_a_snapshot_in_parts() {
    let fake = narrow().await;
    let store = store_with(&fake, small()).await;
    let writer = writer(&store).await;
    writer.append(open("bank", true)).await.unwrap();
    for n in 0..100 {
        writer.append(open(&format!("account-{n}"), false)).await.unwrap();
    }
    writer.snapshot().await.unwrap();
    writer.append(transfer("bank", "account-7", "3")).await.unwrap();
    let again = store_with(&fake, small()).await;
    let mut book = BookAt::load(&*again, Position(u64::MAX)).await.unwrap();
    assert_eq!(book.position(), Position(101));
    book.follow(&*again, Position(103)).await.unwrap();
    let live = writer.read(|book, _| book.state_text()).await.unwrap();
    assert_eq!(book.book.state_text(), live);
}
