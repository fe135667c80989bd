//! What is in the stream: readable by people, and refused where it is none of ours.

use super::support::{LOG, all, refusal, said, store, with_history, writer};
use serde_json::{Value, json};
use viral_store::{EventStore as _, StoreError, line};
use viral_tests::kurrentdb::{Fake, Recorded};

#[tokio::test]
async fn a_record_explains_itself() {
    let fake = with_history().await;
    let records = fake.records(LOG);
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let source = store(&fake).await.source().to_owned();
    let header = json(&records[0].data);
    assert_eq!(source, format!("urn:viral:log:{}", header["log"].as_str().unwrap()));
    assert_eq!(
        (&records[0].metadata["type"], &header["format"]),
        (&"viral.log".to_owned(), &json!(1))
    );
    for (n, record) in records.iter().enumerate().skip(1) {
        assert_eq!(record.metadata["type"], "viral.batch");
        assert_eq!(record.metadata["content-type"], "application/json");
        assert_eq!(json(&record.custom_metadata), json!({"first": n, "last": n}));
        // The rows are the lines that are exported and hashed.
        let text = std::str::from_utf8(&record.data).unwrap();
        let row = text.lines().nth(1).unwrap();
        let line::Line { event, source: of, .. } = line::parse(row).unwrap();
        assert_eq!((event.position.0, of.as_str()), (n as u64, source.as_str()));
    }
}

/// Changes record 2 of a log and answers why it cannot be opened any more.
async fn spoilt(change: impl Fn(&mut Recorded)) -> (StoreError, StoreError) {
    let fake = with_history().await;
    fake.change(LOG, |records| change(&mut records[2]));
    let error = refusal(&fake).await;
    // One that is running comes upon it when it is the next one.
    let fake = with_history().await;
    let late = store(&fake).await;
    let mut next = fake.records(LOG)[2].clone();
    next.revision = 4;
    change(&mut next);
    fake.change(LOG, |records| records.push(next));
    let at_the_end = late.head().await.unwrap_err();
    assert_eq!(late.lock().await.err(), Some(at_the_end.clone()));
    (error, at_the_end)
}

fn replace(record: &mut Recorded, from: &str, to: &str) {
    let text = String::from_utf8(record.data.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    record.data = text.replace(from, to).into_bytes();
}

#[tokio::test]
async fn what_is_none_of_ours_is_never_skipped() {
    type Change = fn(&mut Recorded);
    let changes: [(Change, &str); 7] = [
        (
            |record| drop(record.metadata.insert("type".to_owned(), "order.placed".to_owned())),
            "order.placed",
        ),
        (|record| record.data = b"{}".to_vec(), "not an array"),
        (|record| record.data = vec![0xff], "utf-8"),
        (
            |record| replace(record, "\"position\":\"2\"", "\"position\":\"7\""),
            "positions 2 to 2",
        ),
        (
            |record| replace(record, "{\"aggregatetype\"", "{ \"aggregatetype\""),
            "canonical",
        ),
        (
            |record| replace(record, "urn:viral:log:", "urn:viral:log:0"),
            "not of urn:viral:log",
        ),
        (|record| record.custom_metadata = Vec::new(), "metadata"),
    ];
    for (change, problem) in changes {
        let (error, at_the_end) = spoilt(change).await;
        for (error, revision) in [(error, 2), (at_the_end, 4)] {
            let text = error.to_string();
            assert!(matches!(error, StoreError::Corrupt(_)), "{text}");
            assert!(
                text.contains(&format!("record {revision}")) && text.contains(problem),
                "{problem}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn a_record_that_does_not_follow_is_named() {
    type Change = fn(&mut Vec<Recorded>);
    let changes: [(Change, &str); 4] = [
        (|records| drop(records.remove(2)), "record 2: missing"),
        (|records| drop(records.drain(..2)), "record 0 is missing"),
        (|records| records[3].data = records[1].data.clone(), "record 3"),
        (
            |records| {
                let mut again = records[3].clone();
                again.revision = 4;
                records.push(again);
            },
            "record 4: position 3 where 4 should be",
        ),
    ];
    for (change, problem) in changes {
        let fake = with_history().await;
        fake.change(LOG, change);
        let error = refusal(&fake).await;
        assert!(
            matches!(error, StoreError::Corrupt(_)) && error.to_string().contains(problem),
            "{error}"
        );
    }
}

/// The server went back to an older state while we were running.
#[tokio::test]
async fn a_log_that_became_shorter_is_no_log() {
    let fake = with_history().await;
    let store = store(&fake).await;
    let writer = writer(&store).await;
    fake.change(LOG, |records| records.truncate(3));
    let error = writer.append(said("a", 3, "x")).await.unwrap_err();
    assert!(error.to_string().contains("the log went back"), "{error}");
    fake.change(LOG, Vec::clear);
    let error = store.head().await.unwrap_err();
    assert!(error.to_string().contains("gone"), "{error}");
}

/// The server's clock is seen on a record beside the log before the first append, then on that of the last one: times are
/// those of that clock.
#[tokio::test]
async fn times_are_corrected_by_what_the_server_says() {
    let fake = Fake::start().await;
    let hour = std::time::Duration::from_secs(3_600);
    fake.set_clock_ahead(hour);
    let store = store(&fake).await;
    let writer = writer(&store).await;
    assert_eq!(store.clock().await.unwrap(), None);
    for n in 0..3 {
        let outcome = writer.append(said("a", n, "x")).await.unwrap();
        let ahead = outcome.events()[0].recorded_at - chrono::Utc::now();
        assert!((59..=61).contains(&ahead.num_minutes()), "{n}: {ahead}");
    }
    assert!((59..=61).contains(&writer.clock_offset().num_minutes()));
    // From then on it is noticed when the server's clock is set.
    fake.set_clock_ahead(hour * 3);
    writer
        .append(said("a", 3, "the last one by the clock of before"))
        .await
        .unwrap();
    let error = writer.append(said("a", 4, "x")).await.unwrap_err();
    // As exactly as a busy machine takes an append.
    assert!(error.to_string().contains("leapt by 72"), "{error}");
}

#[tokio::test]
async fn an_index_that_is_built_anew_knows_the_same() {
    let fake = Fake::start().await;
    let before = store(&fake).await;
    let writer = writer(&before).await;
    for n in 0..50 {
        let streams = ["a", "b", "c"];
        writer.append(said(streams[n as usize % 3], n / 3, "x")).await.unwrap();
    }
    let after = store(&fake).await;
    assert_eq!(after.head().await.unwrap(), before.head().await.unwrap());
    let log = all(&*before).await;
    assert_eq!(all(&*after).await, log);
    for event in &log {
        assert_eq!(after.find(event.event_id).await.unwrap().as_ref(), Some(event));
        let stream = after.read_stream(&event.stream, event.sequence - 1, 1).await.unwrap();
        assert_eq!(stream, std::slice::from_ref(event));
        let page = after
            .read_after(viral_store::Position(event.position.0 - 1), 7)
            .await
            .unwrap();
        let start = event.position.0 as usize - 1;
        assert_eq!(page, log[start..(start + 7).min(50)]);
    }
}
