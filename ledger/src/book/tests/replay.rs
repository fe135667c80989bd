//! Replaying what no sound book decided, and going back to savepoints.

use super::given;
use super::words::*;
use crate::book::{Book, Violation};
use crate::event::{BookEvent, SnapshotTaken};
use crate::refusal::Refusal;
use crate::transaction::{Code, Transaction};
use uuid::Uuid;

fn alice() -> Vec<BookEvent> {
    vec![mint(), credit("alice"), credit("bob"), paid("alice", "100")]
}

#[test]
fn every_check_of_the_state_is_made_again() {
    let transaction = |postings| BookEvent::TransactionPosted(posted(postings));
    let cases = [
        (credit("alice"), "account_exists"),
        (frozen("nobody"), "unknown_account"),
        (unfrozen("alice"), "account_not_frozen"),
        (closed("alice"), "account_not_empty"),
        (transaction([from("alice", "bob", "101")]), "insufficient_funds"),
        (transaction([from("alice", "bob", "0")]), "amount_not_positive"),
        (transaction([from("alice", "alice", "1")]), "self_transfer"),
        (BookEvent::TransactionPosted(posted([])), "empty_transaction"),
        (held(1, "alice", "101"), "insufficient_funds"),
        (held(1, "alice", "-1"), "amount_not_positive"),
        (BookEvent::HoldVoided(released(1)), "unknown_hold"),
        (BookEvent::HoldExpired(released(1)), "unknown_hold"),
        (period_closed("2026-02-01"), "period_not_over"),
    ];
    for (event, code) in cases {
        match given(alice()).refuses_to_replay(&event) {
            Violation::Refused(refusal) => assert_eq!(refusal.code(), code, "{event:?}"),
            Violation::Contradiction(text) => panic!("{event:?}: {text}"),
        }
    }
}

#[test]
fn a_capture_is_checked_again() {
    let capturing = |hold, amount| {
        BookEvent::TransactionPosted(Transaction {
            captures: Some(Uuid::from_u128(hold)),
            ..posted([from("alice", "bob", amount)])
        })
    };
    let until = "2026-02-01T13:00:00Z";
    let events = || alice().into_iter().chain([held_until(1, "alice", "40", until)]);
    let id = Uuid::from_u128(2);
    assert_eq!(
        given(events()).refuses_to_replay(&capturing(2, "1")),
        Violation::Refused(Refusal::UnknownHold(id))
    );
    let too_much = given(events()).refuses_to_replay(&capturing(1, "40.0001"));
    assert!(matches!(
        too_much,
        Violation::Refused(Refusal::CaptureExceedsHold { .. })
    ));
    let too_late = given(events()).at(until).refuses_to_replay(&capturing(1, "1"));
    assert!(matches!(too_late, Violation::Refused(Refusal::HoldExpired { .. })));
}

#[test]
fn what_no_command_could_do_is_a_contradiction() {
    let reversal_of_nothing = Transaction {
        code: Code::REVERSAL,
        ..posted([from("alice", "bob", "1")])
    };
    let disguised_reversal = Transaction {
        reverses: Some(Uuid::from_u128(4)),
        ..posted([from("alice", "bob", "1")])
    };
    let wrong_hash = SnapshotTaken {
        position: 4,
        state_hash: "0".repeat(64),
    };
    for event in [
        BookEvent::TransactionPosted(reversal_of_nothing),
        BookEvent::TransactionPosted(disguised_reversal),
        BookEvent::SnapshotTaken(wrong_hash),
        held(1, "alice", "1"),
    ] {
        let violation = given(alice().into_iter().chain([held(1, "alice", "40")])).refuses_to_replay(&event);
        assert!(
            matches!(violation, Violation::Contradiction(_)),
            "{event:?}: {violation}"
        );
    }
}

#[test]
fn a_trusted_snapshot_is_not_hashed_again() {
    let event = BookEvent::SnapshotTaken(SnapshotTaken {
        position: 4,
        state_hash: "0".repeat(64),
    });
    let mut book = given(alice()).book;
    book.evolve_trusted(time(NOW), &event).unwrap();
    assert_eq!(book.sequence(), 5);
    assert!(book.evolve_trusted(time(NOW), &credit("alice")).is_err());
}

#[test]
fn savepoints_nest() {
    let mut book = given(alice()).book;
    let play = |book: &mut Book, events: Vec<BookEvent>| {
        for event in events {
            book.evolve(time(NOW), &event).unwrap();
        }
    };
    let outer_state = book.clone();
    let outer = book.savepoint();
    play(&mut book, vec![credit("carol"), held(1, "alice", "5"), frozen("bob")]);
    let inner_state = book.clone();
    let inner = book.savepoint();
    play(
        &mut book,
        vec![
            period_closed("2026-01-31"),
            BookEvent::HoldVoided(released(1)),
            closed("carol"),
        ],
    );
    book.rollback(inner);
    assert_eq!(book, inner_state);
    assert_eq!(book.state_text(), inner_state.state_text());
    book.rollback(outer);
    assert_eq!(book, outer_state);
    assert_eq!(book.state_text(), outer_state.state_text());
    let sequence = book.sequence();
    play(&mut book, vec![credit("carol")]);
    book.forget();
    assert_eq!(book.sequence(), sequence + 1);
}

#[test]
fn pages_of_accounts_follow_the_order_of_addresses() {
    let book = given([credit("b"), credit("a:1"), credit("a"), credit("c")]).book;
    let page = |after| {
        let addresses = book.accounts_after(after).map(|(address, _)| address.as_str());
        addresses.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(page(None), "a a:1 b c");
    assert_eq!(page(Some("a")), "a:1 b c");
    assert_eq!(page(Some("a:2")), "b c");
    assert_eq!(page(Some("c")), "");
    assert_eq!(book.account_count(), 4);
}
