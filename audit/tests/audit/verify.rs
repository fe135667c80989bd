//! Verify: a sound log holds, and every way of changing one is named with the first bad position.

use crate::history::{History, time};
use crate::tampered::{self, Tampered};
use chrono::Duration;
use std::sync::Arc;
use uuid::Uuid;
use viral_audit::{AsOf, Finding, Silent, Verification, replay, verify, verify_up_to};
use viral_ledger::ids::reversal_of;
use viral_store::{EventStore, MemoryStore, Position, StreamId};

async fn verified(log: Tampered) -> Verification {
    verify(&log.into_store(), &Silent).await.unwrap()
}

/// The first finding must be at this position and contain this text.
async fn finds(what: &str, log: Tampered, position: u64, text: &str) {
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

async fn sound() -> Tampered {
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
async fn stored_text() {
    let log = sound().await;
    for (what, position, from, to, text) in [
        (
            "spaces",
            4,
            "{\"",
            "{ \"",
            "payload: not in canonical form (RFC 8785): byte 1",
        ),
        (
            "spaces in a foreign event",
            6,
            "\":\"",
            "\": \"",
            "payload: not in canonical form",
        ),
        (
            "a doubled key",
            6,
            "{",
            "{\"text\":\"a\",",
            "payload: not in canonical form",
        ),
        ("no JSON", 6, "}", "", "payload: not JSON"),
        (
            "another number of digits",
            4,
            "900.00",
            "900.0",
            "not spelled as the ledger writes",
        ),
        ("an unknown field", 4, "{", "{\"a\":1,", "unknown field"),
        ("an impossible amount", 4, "900.00", "900.001", "too many decimals"),
        (
            "another type inside",
            4,
            "transaction_posted",
            "transaction_pasted",
            "the payload's type is book.transaction_pasted",
        ),
        (
            "a type that does not fit",
            6,
            "campaign.created",
            "campaign.funded",
            "the payload's type is campaign.funded",
        ),
        ("no type", 6, "\"type\"", "\"typo\"", "missing field `type`"),
    ] {
        let mut changed = log.clone();
        changed.payload(position, from, to);
        finds(what, changed, position, text).await;
    }
    for (what, position, from, to, text) in [
        ("spaces", 4, "{", "{ ", "metadata: not in canonical form"),
        (
            "an unknown name",
            4,
            "\"actor\"",
            "\"acter\"",
            "metadata: unknown field",
        ),
        ("no string", 4, "\"tester\"", "1", "metadata: invalid type"),
        (
            "an absent name spelled out",
            4,
            "\"requesthash\"",
            "\"correlationid\":null,\"requesthash\"",
            "canonical, but not",
        ),
        ("no JSON", 4, "}", "", "metadata: not JSON"),
    ] {
        let mut changed = log.clone();
        changed.metadata(position, from, to);
        finds(what, changed, position, text).await;
    }
    let mut list = log.clone();
    list.at(6).payload = "[]".to_owned();
    finds("no object", list, 6, "not a JSON object").await;
    let mut long = log;
    let text = "x".repeat(66_000);
    long.payload(17, "\"c\"", &format!("\"{text}\""));
    finds("too long a line", long, 17, "the event is too large").await;
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
    moved.at(7).stream = StreamId::new("campaign", "c2");
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
    let mut hash = log;
    hash.metadata(7, "\"requesthash\":\"0", "\"requesthash\":\"1");
    finds("another request", hash, 7, "its requesthash is not that of its unit").await;
}

#[tokio::test]
async fn what_the_book_refuses() {
    let log = sound().await;
    for (what, position, from, to, at, text) in [
        (
            "a smaller credit",
            4,
            "900.00",
            "9.00",
            5,
            "customer:1 has 9.00 CZK available, 50.50 needed",
        ),
        (
            "an unknown account",
            4,
            "customer:1",
            "customer:9",
            4,
            "unknown account customer:9",
        ),
        (
            "both sides the same",
            4,
            "bank:cash",
            "customer:1",
            4,
            "debited and credited by the same posting",
        ),
        ("another asset", 4, "CZK", "EUR", 4, "is an account of CZK, not of EUR"),
        ("nothing moved", 4, "900.00", "0.00", 4, "must be more than zero"),
        ("a larger capture", 12, "25.00", "35.00", 12, "exceeds the hold"),
        (
            "opened twice",
            3,
            "customer:2",
            "customer:1",
            3,
            "account customer:1 exists already",
        ),
        (
            "a hold that is not there",
            13,
            "\"hold\":\"0000",
            "\"hold\":\"0001",
            13,
            "there is no open hold",
        ),
        ("a smaller hold", 9, "30.00", "20.00", 12, "exceeds the hold"),
        (
            "a silent change before a snapshot",
            8,
            "1.00",
            "2.00",
            16,
            "the snapshot says the state's hash is",
        ),
        (
            "a period that is not over",
            18,
            "2026-01-02",
            "2026-01-04",
            18,
            "not over yet",
        ),
        (
            "the reversal's code",
            15,
            "\"reversal\"",
            "\"refund\"",
            15,
            "the code is refund, but it says",
        ),
    ] {
        let mut changed = log.clone();
        changed.payload(position, from, to);
        finds(what, changed, at, text).await;
    }
    let mut resolved_twice = log.clone();
    let captured = resolved_twice.at(9).event_id.to_string();
    let voided = resolved_twice.at(10).event_id.to_string();
    resolved_twice.payload(13, &voided, &captured);
    finds(
        "a hold resolved twice",
        resolved_twice,
        13,
        "already captured, voided or expired",
    )
    .await;
    let mut removed = log.clone();
    removed.remove_and_close_gap(13);
    finds(
        "an event removed, the gap closed",
        removed,
        15,
        "the snapshot is of position 15",
    )
    .await;
    let mut version = log;
    version.at(4).event_version = "2".into();
    finds(
        "an unknown version",
        version,
        4,
        "version \"2\" of book.transaction_posted is unknown",
    )
    .await;
}

#[tokio::test]
async fn what_must_fit_around_an_event() {
    let log = sound().await;
    let mut hold = log.clone();
    let (captured, other) = (hold.at(9).event_id.to_string(), Uuid::from_u128(9_999).to_string());
    hold.payload(9, &captured, &other);
    finds("a hold's id", hold, 9, "is not the event's").await;
    let mut effective = log.clone();
    effective.metadata(5, "2025-12-31", "2025-12-30");
    finds(
        "another effective time",
        effective,
        5,
        "effectivetime is 2025-12-30T00:00:00.000000Z in the metadata",
    )
    .await;
    let mut absent = log.clone();
    absent.metadata(5, "\"effectivetime\":\"2025-12-31T00:00:00.000000Z\",", "");
    finds(
        "no effective time",
        absent,
        5,
        "effectivetime is absent in the metadata",
    )
    .await;
    let mut added = log.clone();
    let time = "\"effectivetime\":\"2026-01-02T12:00:00.000000Z\",\"requesthash\"";
    added.metadata(4, "\"requesthash\"", time);
    finds("an effective time too many", added, 4, "absent by the payload").await;
    let mut recorded = log.clone();
    recorded.at(20).recorded_at += Duration::seconds(1);
    finds(
        "the last time",
        recorded,
        20,
        "the head says the last event was recorded",
    )
    .await;
}

#[tokio::test]
async fn reversals_mirror_what_they_reverse() {
    let log = sound().await;
    let reversal = log.events[14].event_id.to_string();
    let original = log.events[4].event_id;

    let mut id = log.clone();
    id.at(15).event_id = Uuid::from_u128(9_999);
    id.metadata(15, &reversal, &Uuid::from_u128(9_999).to_string());
    finds("another id", id, 15, "its id does not derive from that").await;

    // The forger knows how ids derive, and points at what is not there, or is no transaction, or is another one.
    for (target, text) in [
        (Uuid::from_u128(9_999), "which is not in the log before it"),
        (log.events[0].event_id, "which is not a transaction"),
        (log.events[3].event_id, "it is not the mirror image"),
    ] {
        let mut forged = log.clone();
        let derived = reversal_of(target);
        forged.at(15).event_id = derived;
        forged.metadata(15, &reversal, &derived.to_string());
        forged.payload(15, &original.to_string(), &target.to_string());
        finds("another original", forged, 15, text).await;
    }
}

#[tokio::test]
async fn saved_snapshots_have_the_hash_that_the_log_recorded() {
    let log = sound().await;
    assert_eq!(log.snapshots.keys().copied().collect::<Vec<_>>(), [Position(15)]);
    let mut saved = log.clone();
    saved
        .snapshots
        .values_mut()
        .for_each(|state| *state = state.replace("874.00", "974.00"));
    saved.snapshots.values_mut().for_each(|state| state.push(' '));
    let verification = verified(saved.clone()).await;
    // The log is read to its end: it is sound.
    assert_eq!(verification.events, 20);
    finds(
        "a saved snapshot",
        saved,
        16,
        "the snapshot saved beside the log has the hash",
    )
    .await;
    let mut none = log.clone();
    none.snapshots.clear();
    assert!(verified(none).await.holds);
    let mut position = log;
    position.payload(16, "\"15\"", "\"14\"");
    finds("a snapshot's position", position, 16, "the snapshot is of position 14").await;
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
    let events: Vec<_> = (0..count)
        .map(|index| viral_store::StoredEvent {
            position: Position(index + 1),
            event_id: Uuid::from_u128(u128::from(index) << 64 | u128::from(index.reverse_bits() >> 8)),
            stream: StreamId::new("stream", (index % streams).to_string()),
            sequence: index / streams + 1,
            event_type: "stream.touched".into(),
            event_version: "1".into(),
            payload: r#"{"type":"stream.touched"}"#.to_owned(),
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
