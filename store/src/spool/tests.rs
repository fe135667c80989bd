use super::*;
use crate::event::Metadata;
use crate::line::to_line;
use std::collections::HashSet;
use std::path::Path;

const SOURCE: &str = "urn:viral:log:00000000-0000-4000-8000-000000000000";

fn event(position: u64, text: &str) -> StoredEvent {
    let event_id = Uuid::from_u128(u128::from(position) << 64);
    let metadata = Metadata {
        unit_id: event_id,
        ..Metadata::default()
    };
    StoredEvent {
        position: Position(position),
        event_id,
        stream: StreamId::new("note", (position % 3).to_string()),
        sequence: position.div_ceil(3),
        event_type: "note.taken".into(),
        event_version: "1".into(),
        payload: format!(r#"{{"text":"{text}","type":"note.taken"}}"#),
        metadata: serde_json::to_string(&metadata).unwrap(),
        recorded_at: DateTime::from_timestamp_micros(1_700_000_000_000_000 + position.cast_signed()).unwrap(),
    }
}

/// Lines of all lengths up to the longest, so that some spans hold many and some hold few.
fn events(count: u64) -> Vec<StoredEvent> {
    let text = |position: u64| match position % 50 {
        0 => "é".repeat(32_000),
        rest => "x".repeat(usize::try_from(rest).unwrap()),
    };
    (1..=count).map(|position| event(position, &text(position))).collect()
}

fn writer(events: &[StoredEvent]) -> SpoolWriter {
    let mut writer = SpoolWriter::new(None).unwrap();
    for event in events {
        writer.push(&to_line(event, SOURCE).unwrap()).unwrap();
    }
    writer
}

#[tokio::test]
async fn what_went_in_comes_out() {
    let all = events(2_000);
    let log = writer(&all).finish().unwrap();
    assert_eq!(log.source(), SOURCE);
    let head = log.head().await.unwrap();
    assert_eq!(
        (head.position, head.recorded_at),
        (Position(2_000), all[1_999].recorded_at)
    );
    for (after, limit) in [
        (0, 2_000),
        (0, 1),
        (49, 3),
        (1_000, 300),
        (1_999, 10),
        (2_000, 10),
        (u64::MAX, 1),
        (5, 0),
    ] {
        let start = usize::try_from(after).unwrap().min(2_000);
        let expected = &all[start..(start + limit).min(2_000)];
        assert_eq!(
            log.read_after(Position(after), limit).await.unwrap(),
            expected,
            "{after} {limit}"
        );
    }
    assert_eq!(log.read_after(Position::START, usize::MAX).await.unwrap(), all);
    let stream = StreamId::new("note", "1");
    let of_stream: Vec<_> = all.iter().filter(|event| event.stream == stream).cloned().collect();
    assert_eq!(log.read_stream(&stream, 0, usize::MAX).await.unwrap(), of_stream);
    assert_eq!(log.read_stream(&stream, 600, 2).await.unwrap(), of_stream[600..602]);
    for event in &all {
        assert_eq!(log.find(event.event_id).await.unwrap().as_ref(), Some(event));
    }
    assert_eq!(log.find(Uuid::from_u128(7)).await.unwrap(), None);
    assert_eq!(log.snapshot_at(Position(u64::MAX)).await.unwrap(), None);
    assert!(!log.is_cut());
}

#[tokio::test]
async fn a_copy_is_not_appended_to() {
    let log = writer(&events(1)).finish().unwrap();
    let error = log.lock().await.err().unwrap().to_string();
    assert!(error.contains("copy"), "{error}");
    let snapshot = Snapshot {
        position: Position(1),
        state: String::new(),
        digest: Default::default(),
    };
    assert!(matches!(log.save_snapshot(&snapshot).await, Err(StoreError::Denied(_))));
    let started = std::time::Instant::now();
    let head = log.wait_for(Position(1), Duration::from_millis(20)).await.unwrap();
    assert_eq!(head.position, Position(1));
    assert!(started.elapsed() >= Duration::from_millis(20));
}

#[test]
fn what_is_not_the_next_line_is_refused() {
    let all = events(4);
    let line = |event: &StoredEvent| to_line(event, SOURCE).unwrap();
    let mut writer = writer(&all[..2]);
    let other = to_line(&all[2], "urn:viral:log:other").unwrap();
    for (bad, says) in [
        (
            line(&all[1]),
            "it has position 2, but 3 must come here: that position was there already",
        ),
        (line(&all[3]), "what is between is missing"),
        (other, "urn:viral:log:other"),
        (line(&all[2]).replacen(',', ", ", 1), "canonical"),
        (String::new(), "not an event line"),
        ("x".repeat(70_000), "too large"),
    ] {
        let error = writer.push(&bad).unwrap_err();
        assert!(error.is_of_the_line(), "{error}");
        assert!(error.to_string().contains(says), "{error} {says}");
    }
    assert!(writer.has(&line(&all[1])).unwrap());
    let mut changed = all[1].clone();
    changed.payload = changed.payload.replace('x', "y");
    assert!(!writer.has(&line(&changed)).unwrap());
    assert!(!writer.has(&line(&all[2])).unwrap());
    assert_eq!(writer.next(), Position(3));
    writer.push(&line(&all[2])).unwrap();
    let error = SpoolWriter::new(None)
        .unwrap()
        .push(&line(&all[2]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("a log begins at 1"), "{error}");
}

#[tokio::test]
async fn what_is_damaged_is_the_event_that_cannot_be_read() {
    let all = events(3);
    for log in [
        writer(&all).finish_cut("line 4").unwrap(),
        writer(&all).finish_damaged("line 4").unwrap(),
    ] {
        assert_eq!(log.head().await.unwrap().position, Position(4));
        assert_eq!(log.read_after(Position(1), 2).await.unwrap(), all[1..]);
        for (after, limit) in [(0, 4), (3, 1), (2, 100)] {
            let error = log.read_after(Position(after), limit).await.unwrap_err();
            assert_eq!(error, StoreError::Corrupt("line 4".to_owned()));
        }
        assert_eq!(log.read_after(Position(4), 1).await.unwrap(), []);
    }
    let nothing = SpoolWriter::new(None).unwrap().finish_damaged("line 1").unwrap();
    assert_eq!((nothing.source(), nothing.is_cut()), ("", false));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = SpoolWriter::new(Some(Path::new("/nowhere/at/all"))).unwrap_err();
    assert!(!error.is_of_the_line());
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

/// Where many ids share a fingerprint, each is still found, and an id that is not there is not.
#[test]
fn ids_are_told_apart() {
    let mut unsorted = index::Unsorted::default();
    for position in 1..=200_000_u64 {
        unsorted.add(Uuid::from_u128(u128::from(position)), position);
    }
    let ids = unsorted.sort();
    let mut most = HashSet::new();
    for position in 1..=200_000_u64 {
        let found: Vec<u64> = ids.candidates(Uuid::from_u128(u128::from(position))).collect();
        assert!(found.contains(&position) && found.is_sorted());
        most.insert(found.len());
    }
    assert!(most.iter().all(|count| *count < 10), "{most:?}");
}
