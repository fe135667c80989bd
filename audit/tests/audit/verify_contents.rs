//! Verify: changes of what events say, to which the log around them gives the lie.

use crate::tampered::Tampered;
use crate::verify::{finds, sound, verified};
use chrono::Duration;
use uuid::Uuid;
use viral_audit::{AsOf, NotVerified, Silent, replay};
use viral_ledger::ids::reversal_of;
use viral_store::{Position, StreamId};

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
            "{\"reason\":\"a\",",
            "payload: not in canonical form",
        ),
        ("no JSON", 6, "}", "", "payload: not JSON"),
        (
            "another number of digits",
            4,
            "900.00",
            "900.0",
            "not spelled as version 1 of this event is written",
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
            "reversal.requested",
            "reversal.revoked",
            "the payload's type is reversal.revoked",
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
            5,
            "customer:1 has 0.00 CZK available, 50.50 needed",
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
            "a hold that could never be captured",
            11,
            "2026-01-03",
            "2026-01-02",
            11,
            "is not in the future",
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
    for (what, position) in [("a capture", 12), ("a reversal", 15)] {
        // The forger changes the effective time in the metadata too.
        let mut dated = log.clone();
        let now = dated.at(position).recorded_at.format("%Y-%m-%dT%H:%M").to_string();
        dated.payload(position, &now, "2026-01-01T00:00");
        let time = "\"effectivetime\":\"2026-01-01T00:00:00.000000Z\",\"requesthash\"";
        dated.metadata(position, "\"requesthash\"", time);
        let text = format!("{what} takes effect at 2026-01-01T00:00:00.000000Z, not when");
        finds(what, dated, position, &text).await;
    }
}

/// Rules of input were others once, and will be: they are not what is verified.
#[tokio::test]
async fn what_was_taken_under_other_rules_holds() {
    let mut log = sound().await;
    let long = "x\\n".repeat(2_000);
    log.payload(5, "half;", &long);
    log.payload(6, "\"a\"", &format!("\"{long}\""));
    for position in [2, 4, 5, 8, 9, 10, 11, 12, 15] {
        let address = format!("customer:{}", "1".repeat(201));
        let event = log.at(position);
        event.payload = event.payload.replace("customer:1\"", &format!("{address}\""));
    }
    // The snapshot has the addresses, so it is another one now.
    let store = log.clone().into_store();
    let state = replay(&store, AsOf::Position(Position(15)), &Silent).await.unwrap();
    let recorded = log.at(16).payload.clone();
    let hash = &recorded[recorded.find("state_hash").unwrap() + 13..][..64];
    log.payload(16, hash, &state.state_hash);
    log.snapshots.clear();
    let verification = verified(log).await;
    assert!(verification.holds, "{verification:?}");
}

#[tokio::test]
async fn what_a_later_program_wrote_is_not_verified() {
    let log = sound().await;
    let mut version = log.clone();
    version.at(4).event_version = "2".into();
    knows_nothing_of(
        "a version of the book",
        version.clone(),
        4,
        "book.transaction_posted",
        "2",
    )
    .await;
    let error = replay(&version.into_store(), AsOf::Head, &Silent).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "position 4: book.transaction_posted version 2 is not known to this version of the program: update it"
    );

    let mut renamed = log.clone();
    renamed.at(8).event_type = "book.transaction_split".into();
    renamed.payload(8, "transaction_posted", "transaction_split");
    knows_nothing_of("a type of the book", renamed, 8, "book.transaction_split", "1").await;

    let mut kind = log.clone();
    kind.at(20).stream = StreamId::new("guild", "g1");
    kind.at(20).event_type = "guild.founded".into();
    kind.payload(20, "reversal.requested", "guild.founded");
    knows_nothing_of("a kind of stream", kind.clone(), 20, "guild.founded", "1").await;
    // Balances hang on the book alone.
    let replayed = replay(&kind.clone().into_store(), AsOf::Head, &Silent).await.unwrap();
    assert_eq!(replayed.position, "20");

    // What is wrong with its bytes is seen all the same, and so is what is wrong before it.
    let mut spaced = kind.clone();
    spaced.payload(20, "{", "{ ");
    finds("spaces in an unknown event", spaced, 20, "not in canonical form").await;
    let mut both = kind;
    both.payload(12, "25.00", "35.00");
    finds("something before it", both, 12, "exceeds the hold").await;
}

async fn knows_nothing_of(what: &str, log: Tampered, position: u64, event_type: &str, event_version: &str) {
    let verification = verified(log).await;
    let expected = NotVerified {
        position: Position(position),
        event_type: event_type.to_owned(),
        event_version: event_version.to_owned(),
    };
    assert_eq!(verification.not_verified, Some(expected), "{what}");
    assert_eq!((verification.holds, &verification.first_bad), (false, &None), "{what}");
    assert_eq!(verification.events, position - 1, "{what}");
    let json = serde_json::to_value(&verification).unwrap();
    let told = serde_json::json!({
        "position": position.to_string(), "event_type": event_type, "event_version": event_version
    });
    assert_eq!(json["not_verified"], told);
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
