//! Verify: a sound log holds, and every way of changing one is named with the first bad position.

use crate::history::{FIRST_ASKED, History, SECOND_ASKED, time};
use crate::tampered::{self, Tampered};
use chrono::Duration;
use std::sync::Arc;
use uuid::Uuid;
use viral_audit::{AsOf, Finding, Silent, Verification, replay, verify, verify_up_to};
use viral_store::{EventStore, MemoryStore, Position, StreamId};

pub(crate) async fn verified(log: Tampered) -> Verification {
    verify(&log.into_store(), &Silent).await.unwrap()
}

/// The first finding must be at this position and contain this text.
pub(crate) async fn finds(what: &str, log: Tampered, position: u64, text: &str) {
    let verification = verified(log).await;
    let Some(Finding {
        position: found,
        problem,
    }) = &verification.first_bad
    else {
        panic!("{what}: nothing was found");
    };
    assert_eq!(*found, Position(position), "{what}: {problem}");
    assert!(problem.contains(text), "{what}: {problem}");
    assert!(!verification.holds);
}

pub(crate) async fn sound() -> Tampered {
    Tampered::copy(History::of_everything().await.store.as_ref()).await
}

#[tokio::test]
async fn a_sound_log_holds() {
    let log = History::of_everything().await;
    let hash = log.writer.read(|book, _| book.state_hash()).await.unwrap();
    for store in [log.store.clone(), Tampered::copy(log.store.as_ref()).await.into_store()] {
        let verification = verify(&store, &Silent).await.unwrap();
        assert_eq!(verification.first_bad, None);
        assert!(verification.holds);
        assert_eq!((verification.events, verification.position.as_str()), (20, "20"));
        assert_eq!(verification.state_hash, hash);
    }
    let empty = verified(tampered::empty()).await;
    assert!(empty.holds && empty.events == 0);
}

#[tokio::test]
async fn positions_and_times() {
    let log = sound().await;
    let mut gap = log.clone();
    gap.events.remove(6);
    finds("an event is missing", gap, 7, "missing: position 8 follows 6").await;
    let mut twice = log.clone();
    twice.events.insert(5, twice.events[4].clone());
    finds("a position twice", twice, 6, "missing: position 5 follows 5").await;
    let mut start = log.clone();
    start.events.remove(0);
    finds("the first is missing", start, 1, "missing: position 2 follows 0").await;
    let mut back = log.clone();
    back.at(9).recorded_at -= Duration::days(1);
    finds(
        "a time goes back",
        back,
        9,
        "recorded at 2026-01-01T12:00:00.000000Z, before its predecessor",
    )
    .await;
    let mut fine = log.clone();
    fine.at(20).recorded_at += Duration::nanoseconds(1);
    finds("a time finer than the log's", fine, 20, "cannot be written").await;
    let mut unreadable = log;
    unreadable.unreadable = Some(Position(9));
    finds("a row that cannot be decoded", unreadable, 9, "cannot be read").await;
}

#[tokio::test]
async fn the_head_says_what_the_events_say() {
    let log = sound().await;
    let mut short = log.clone();
    short.events.truncate(18);
    finds(
        "the tail is missing",
        short,
        19,
        "the head says 20, the events end at 18",
    )
    .await;
    let mut empty = log.clone();
    empty.events.clear();
    finds("all are missing", empty, 1, "the head says 20, the events end at 0").await;
    let mut behind = log.clone();
    behind.head.position = Position(19);
    finds(
        "more than the head says",
        behind,
        20,
        "position 20 is there, but the head says 19",
    )
    .await;
    let mut time = log;
    time.head.recorded_at += Duration::seconds(1);
    finds(
        "the head's time",
        time,
        20,
        "the head says the last event was recorded at",
    )
    .await;
}

#[tokio::test]
async fn a_part_is_verified_for_itself() {
    let mut log = sound().await;
    log.payload(12, "25.00", "35.00");
    let hash = |position| async move {
        let whole = History::of_everything().await;
        replay(&whole.store, AsOf::Position(Position(position)), &Silent)
            .await
            .unwrap()
            .state_hash
    };
    let store = log.clone().into_store();
    let before = verify_up_to(&store, AsOf::Position(Position(11)), &Silent)
        .await
        .unwrap();
    assert!(before.holds, "{:?}", before.first_bad);
    assert_eq!((before.events, before.state_hash), (11, hash(11).await));
    let with = verify_up_to(&store, AsOf::Position(Position(12)), &Silent)
        .await
        .unwrap();
    assert_eq!(with.first_bad.unwrap().position, Position(12));
    // Events that are missing before the moment are missed.
    log.events.truncate(8);
    let short = verify_up_to(&log.into_store(), AsOf::Position(Position(10)), &Silent)
        .await
        .unwrap();
    assert_eq!((short.holds, short.first_bad.unwrap().position), (false, Position(9)));
}

#[tokio::test]
async fn streams_and_ids() {
    let log = sound().await;
    let mut book = log.clone();
    book.at(9).sequence = 8;
    finds("the book's sequence", book, 9, "sequence 8 follows 6 in book/main").await;
    let mut jump = log.clone();
    jump.at(17).sequence = 4;
    finds(
        "another stream's sequence",
        jump,
        17,
        "sequence 4 follows 2 in its stream",
    )
    .await;
    let mut zero = log.clone();
    zero.at(20).sequence = 0;
    finds("a sequence of 0", zero, 20, "streams begin at 1").await;
    let mut moved = log.clone();
    moved.at(7).stream = StreamId::new("reversal", SECOND_ASKED.to_string());
    moved.payload(7, &FIRST_ASKED.to_string(), &SECOND_ASKED.to_string());
    finds(
        "an event in another stream",
        moved,
        7,
        "sequence 2 follows 0 in its stream",
    )
    .await;
    let mut twice = log.clone();
    twice.at(7).event_id = twice.at(3).event_id;
    finds("an id twice", twice, 7, "its id is that of position 3 already").await;
    let mut both = log.clone();
    both.at(17).sequence = 4;
    both.at(7).event_id = both.at(3).event_id;
    finds("the earlier of two", both, 7, "its id is that of position 3").await;
    let mut before_a_break = log.clone();
    before_a_break.at(7).event_id = before_a_break.at(3).event_id;
    before_a_break.payload(9, "{", "{ ");
    finds("found at the end, but earlier", before_a_break, 7, "its id is").await;
    let mut foreign = log.clone();
    foreign.at(20).stream = StreamId::new("book", "other");
    finds("a second book", foreign, 20, "there is no book \"other\"").await;
    let mut disguised = log;
    disguised.at(4).stream = StreamId::new("ledger", "main");
    finds(
        "a transaction outside of the book",
        disguised,
        4,
        "an event of the book in the stream ledger/main",
    )
    .await;
}

#[tokio::test]
async fn units_stand_together() {
    let log = sound().await;
    let unit = |log: &mut Tampered, position: u64| log.at(position).event_id;
    let mut torn = log.clone();
    let other = unit(&mut torn, 5);
    let own = unit(&mut torn, 6);
    torn.metadata(7, &own.to_string(), &other.to_string());
    finds("an event of another unit", torn, 7, "do not stand right before it").await;
    let mut orphan = log.clone();
    orphan.at(6).event_id = Uuid::from_u128(9_999);
    finds(
        "a unit without its first event",
        orphan,
        6,
        "do not stand right before it",
    )
    .await;
    let mut actor = log.clone();
    actor.metadata(8, "tester", "mallory");
    finds("another actor", actor, 8, "its actor is not that of its unit").await;
    let mut hash = log.clone();
    hash.metadata(7, "\"requesthash\":\"0", "\"requesthash\":\"1");
    finds("another request", hash, 7, "its requesthash is not that of its unit").await;
    for (before, name) in [("\"requesthash\"", "correlationid"), ("\"requesthash\"", "causationid")] {
        // On one event of the unit only: a later one, or the first.
        for (changed, found) in [(7, 7), (8, 8), (6, 7)] {
            let mut other = log.clone();
            other.metadata(changed, before, &format!("\"{name}\":\"x\",{before}"));
            finds(name, other, found, &format!("its {name} is not that of its unit")).await;
        }
        let mut all = log.clone();
        for position in 6..=8 {
            all.metadata(position, before, &format!("\"{name}\":\"x\",{before}"));
        }
        assert_eq!(verified(all).await.first_bad, None, "{name}");
    }
    let mut later = log;
    later.at(8).recorded_at += Duration::microseconds(1);
    finds(
        "recorded after its unit",
        later,
        8,
        "recorded at 2026-01-02T12:00:00.000001Z, its unit at 2026-01-02T12:00:00.000000Z",
    )
    .await;
}

#[tokio::test]
async fn only_the_book_has_effective_times() {
    let mut foreign = sound().await;
    let time = "\"effectivetime\":\"2026-01-02T12:00:00.000000Z\",\"requesthash\"";
    foreign.metadata(17, "\"requesthash\"", time);
    finds(
        "an effective time outside of the book",
        foreign,
        17,
        "but only transactions of the book have one",
    )
    .await;
}

#[tokio::test]
async fn a_log_of_many_pages_is_read_to_its_end() {
    let store = many_events(10_000).await;
    let verification = verify(&store, &Silent).await.unwrap();
    assert_eq!((verification.holds, verification.events), (true, 10_000));

    let mut twice = Tampered::copy(store.as_ref()).await;
    let early = twice.at(17).event_id;
    let metadata = twice.at(17).metadata.clone();
    twice.at(9_000).event_id = early;
    twice.at(9_000).metadata = metadata;
    finds("an id twice, far apart", twice, 9_000, "its id is that of position 17").await;
}

/// A log of units with one event each, in 500 streams that take turns.
async fn many_events(count: u64) -> Arc<dyn EventStore> {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new(Uuid::from_u128(2)));
    let streams = 500;
    let original = |index: u64| Uuid::from_u128(index.into());
    let events: Vec<_> = (0..count)
        .map(|index| viral_store::StoredEvent {
            position: Position(index + 1),
            event_id: Uuid::from_u128(u128::from(index) << 64 | u128::from(index.reverse_bits() >> 8)),
            stream: StreamId::new("reversal", original(index % streams).to_string()),
            sequence: index / streams + 1,
            event_type: "reversal.requested".into(),
            event_version: "1".into(),
            payload: format!(
                r#"{{"original":"{}","reversal":"{}","type":"reversal.requested"}}"#,
                original(index % streams),
                Uuid::nil()
            ),
            metadata: String::new(),
            recorded_at: time("2026-01-01T00:00:00Z"),
        })
        .map(|mut event| {
            event.metadata = format!(r#"{{"unitid":"{}"}}"#, event.event_id);
            event
        })
        .collect();
    let locked = store.lock().await.unwrap();
    locked.append(&events).await.unwrap();
    store
}
