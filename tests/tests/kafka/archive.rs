//! Reading all that was published: what is repeated, missing, cut off or foreign.

use std::sync::{Arc, Mutex};
use uuid::Uuid;
use viral_kafka::partition::Partition;
use viral_kafka::record::Record;
use viral_kafka::topics::{EVENTS, LEDGER};
use viral_kafka::{Archive, read_all};
use viral_store::{EventStore as _, Metadata, Position, StoredEvent, StreamId};
use viral_tests::published::Bed;

async fn read(bed: &Bed) -> (Archive, Vec<StoredEvent>) {
    let events = Arc::<Mutex<Vec<StoredEvent>>>::default();
    let taken = events.clone();
    let archive = read_all(&bed.topics.cluster, None, move |_, event| {
        taken.lock().unwrap().push(event.clone());
        Ok(())
    });
    let archive = archive.await.unwrap();
    let events = events.lock().unwrap().clone();
    (archive, events)
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_once_whatever_is_repeated() {
    let bed = Bed::new().await;
    assert_eq!(read(&bed).await, (Archive::default(), Vec::new()));
    bed.fill(2_500).await;
    bed.publish().await;
    bed.send(bed.records().await.split_off(1_000)).await;
    let (archive, events) = read(&bed).await;
    let all = bed.events().await;
    assert_eq!(events, all);
    let count = all.len() as u64;
    assert_eq!(archive.source, bed.store.source());
    assert_eq!(
        (archive.position, archive.records),
        (Position(count), 2 * count - 1_000)
    );
    assert_eq!(archive.duplicates, count - 1_000);
    assert_eq!(
        (archive.gap, archive.incomplete_unit, archive.unreadable),
        (None, None, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_was_cut_off_is_not_given() {
    let bed = Bed::new().await;
    // The third unit is a transfer and two notes: positions 6 to 8, behind two accounts, a transfer and two notes.
    bed.fill(6).await;
    let mut records = bed.records().await;
    let units: Vec<_> = bed
        .events()
        .await
        .iter()
        .map(|event| event.parse_metadata().unwrap().unit_id)
        .collect();
    assert!(units[5] == units[6] && units[6] == units[7] && units[4] != units[5]);
    records.truncate(7);
    bed.send(records).await;
    let (archive, events) = read(&bed).await;
    assert_eq!((archive.position, events.len()), (Position(5), 5));
    assert_eq!(archive.incomplete_unit, Some((Position(6), Position(7))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_foreign_is_named() {
    let bed = Bed::new().await;
    bed.fill(100).await;
    let mut records = bed.records().await;
    records.remove(60);
    bed.send(records).await;
    let ledger = Partition::all().next().unwrap();
    bed.send_raw(ledger, &[b"hello"]).await;
    let mut other = bed.events().await.remove(0);
    other.payload = other.payload.replace("test:bank", "test:bonk");
    bed.send(vec![Record::of(&other, bed.store.source(), true).unwrap()])
        .await;
    let (archive, events) = read(&bed).await;
    assert!(events.len() <= 60, "{}", events.len());
    assert_eq!(archive.gap, Some((Position(61), Position(62))));
    assert_eq!(archive.unreadable, 2);
    let problems: Vec<&str> = archive.listed.iter().map(|record| record.problem.as_str()).collect();
    assert!(problems[0].contains("not an event line"), "{problems:?}");
    assert!(
        problems[1].contains("position 1 came before and said something else"),
        "{problems:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_gap_is_not_all_held_in_memory() {
    let bed = Bed::new().await;
    let records = (2..=400_u64).map(|position| {
        let event = StoredEvent {
            position: Position(position),
            event_id: Uuid::from_u128(position.into()),
            stream: StreamId::new("book", "main"),
            sequence: position,
            event_type: "book.something".into(),
            event_version: "1".into(),
            payload: format!(r#"{{"note":"{}"}}"#, "x".repeat(60_000)),
            metadata: serde_json::to_string(&Metadata::default()).unwrap(),
            recorded_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        Record::of(&event, bed.store.source(), true).unwrap()
    });
    bed.send(records.collect()).await;
    let (archive, events) = read(&bed).await;
    assert_eq!((archive.gap, events.len()), (Some((Position(1), Position(2))), 0));
    // 8 MiB of a partition may be ahead.
    assert!((100..200).contains(&archive.records), "{}", archive.records);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_whose_turn_it_is_may_have_as_much_as_it_likes() {
    let bed = Bed::new().await;
    let event = |position: u64, stream: StreamId, length: usize| {
        let event = StoredEvent {
            position: Position(position),
            event_id: Uuid::from_u128(position.into()),
            stream,
            sequence: position,
            event_type: "book.something".into(),
            event_version: "1".into(),
            payload: format!(r#"{{"note":"{}"}}"#, "x".repeat(length)),
            metadata: serde_json::to_string(&Metadata::default()).unwrap(),
            recorded_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        };
        Record::of(&event, bed.store.source(), true).unwrap()
    };
    // The later ones of another partition come first.
    bed.send(vec![event(401, StreamId::new("campaign", "a"), 10)]).await;
    let book = (1..=400).map(|position| event(position, StreamId::new("book", "main"), 60_000));
    bed.send(book.collect()).await;
    let (archive, events) = read(&bed).await;
    assert_eq!((archive.gap, archive.incomplete_unit, events.len()), (None, None, 401));
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_of_somebodys_transactions_are_passed_over() {
    let bed = Bed::new().await;
    bed.fill(20).await;
    bed.publish().await;
    for topic in [LEDGER, EVENTS] {
        bed.topics
            .broker
            .tool(
                "org.apache.kafka.tools.ProducerPerformance",
                &[
                    "--topic",
                    topic,
                    "--num-records",
                    "1",
                    "--record-size",
                    "20",
                    "--throughput",
                    "-1",
                    "--transactional-id",
                    topic,
                ],
            )
            .await;
    }
    bed.fill(20).await;
    bed.publish().await;
    let (archive, events) = read(&bed).await;
    assert_eq!(events, bed.events().await);
    assert_eq!((archive.gap, archive.unreadable), (None, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_logs_are_told_apart() {
    let bed = Bed::new().await;
    bed.fill(5).await;
    let other = "urn:viral:log:00000000-0000-4000-8000-000000000001";
    let events = bed.events().await;
    let records = events.iter().map(|event| Record::of(event, other, true).unwrap());
    bed.send(records.collect()).await;
    bed.send(bed.records().await).await;
    let (archive, _) = read(&bed).await;
    let logs: Vec<&str> = std::iter::once(&archive.source)
        .chain(archive.others.keys())
        .map(String::as_str)
        .collect();
    assert_eq!(logs.len(), 2, "{logs:?}");
    assert!(logs.contains(&other) && logs.contains(&bed.store.source()));
    let count = Arc::<Mutex<u64>>::default();
    let counted = count.clone();
    let ours = read_all(&bed.topics.cluster, Some(bed.store.source().to_owned()), move |_, _| {
        *counted.lock().unwrap() += 1;
        Ok(())
    });
    let ours = ours.await.unwrap();
    assert_eq!(
        (ours.source.as_str(), ours.unreadable),
        (bed.store.source(), events.len() as u64)
    );
    assert_eq!(*count.lock().unwrap(), events.len() as u64);
}
