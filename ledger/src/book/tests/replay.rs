//! Replaying what no sound book decided, and going back to savepoints.

use super::given;
use super::words::*;
use crate::book::{Book, Violation};
use crate::event::{AccountChanged, BookEvent, HoldPlaced, HoldReleased, SnapshotTaken};
use crate::refusal::Refusal;
use crate::transaction::{Code, Reference, Transaction};
use chrono::Duration;
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
        (held_until(1, "alice", "1", NOW), "expiry_in_past"),
        (held_until(1, "alice", "1", "+10000-01-01T00:00:00Z"), "invalid_text"),
        (period_closed("2026-02-01"), "period_not_over"),
        (period_closed("1899-12-31"), "invalid_text"),
    ];
    for (event, code) in cases {
        match given(alice()).refuses_to_replay(&event) {
            Violation::Refused(refusal) => assert_eq!(refusal.code(), code, "{event:?}"),
            Violation::Contradiction(text) => panic!("{event:?}: {text}"),
        }
    }
}

#[test]
fn every_text_is_checked_again() {
    let bad = || "a\nb".to_owned();
    let reference = || {
        Some(Reference {
            id: bad(),
            kind: "order".to_owned(),
        })
    };
    let changed = || AccountChanged {
        account: address("bob"),
        reason: Some(bad()),
    };
    let released = || HoldReleased {
        reason: Some("é".repeat(1_001)),
        ..released(1)
    };
    let transaction = || posted([from("alice", "bob", "1")]);
    let placed = HoldPlaced {
        hold: Uuid::from_u128(2),
        account: address("alice"),
        amount: vcoin("1"),
        asset: crate::asset::Asset::VCOIN,
        expires_at: None,
        reference: reference(),
    };
    let cases = [
        (BookEvent::AccountFrozen(changed()), "reason"),
        (BookEvent::AccountUnfrozen(changed()), "reason"),
        (BookEvent::AccountClosed(changed()), "reason"),
        (BookEvent::HoldVoided(released()), "reason"),
        (BookEvent::HoldExpired(released()), "reason"),
        (BookEvent::HoldPlaced(placed), "reference.id"),
        (
            BookEvent::TransactionPosted(Transaction {
                description: Some(bad()),
                ..transaction()
            }),
            "description",
        ),
        (
            BookEvent::TransactionPosted(Transaction {
                reference: reference(),
                ..transaction()
            }),
            "reference.id",
        ),
        (
            BookEvent::TransactionPosted(Transaction {
                metadata: [("note".to_owned(), bad())].into(),
                ..transaction()
            }),
            "metadata.note",
        ),
    ];
    for (event, expected) in cases {
        let given = given(alice().into_iter().chain([held(1, "alice", "1")]));
        match given.refuses_to_replay(&event) {
            Violation::Refused(Refusal::InvalidText { field, .. }) => assert_eq!(field, expected),
            violation => panic!("{event:?}: {violation}"),
        }
    }
}

#[test]
fn captures_and_reversals_take_effect_when_they_are_recorded() {
    let capture = || Transaction {
        captures: Some(Uuid::from_u128(1)),
        ..posted([from("alice", "bob", "1")])
    };
    let reversal = || Transaction {
        code: Code::REVERSAL,
        reverses: Some(Uuid::from_u128(4)),
        ..posted([from("alice", "bob", "1")])
    };
    let events = || alice().into_iter().chain([held(1, "alice", "40")]);
    for (transaction, what) in [(capture(), "a capture takes"), (reversal(), "a reversal takes")] {
        for difference in [-1, 1] {
            let event = BookEvent::TransactionPosted(Transaction {
                effective_at: time(NOW) + Duration::microseconds(difference),
                ..transaction.clone()
            });
            match given(events()).refuses_to_replay(&event) {
                Violation::Contradiction(text) => assert!(text.starts_with(what), "{text}"),
                violation => panic!("{event:?}: {violation}"),
            }
        }
        // As decided: cut to the microseconds of the log.
        let mut book = given(events()).book;
        let event = BookEvent::TransactionPosted(transaction);
        book.evolve(time(NOW) + Duration::nanoseconds(999), &event).unwrap();
    }
    let both = Transaction {
        captures: Some(Uuid::from_u128(1)),
        ..reversal()
    };
    let violation = given(events()).refuses_to_replay(&BookEvent::TransactionPosted(both));
    let expected = "it both captures a hold and reverses a transaction";
    assert_eq!(violation, Violation::Contradiction(expected.to_owned()));
}

#[test]
fn a_capture_is_checked_again() {
    let capturing_at = |at, hold, amount| {
        BookEvent::TransactionPosted(Transaction {
            captures: Some(Uuid::from_u128(hold)),
            effective_at: time(at),
            ..posted([from("alice", "bob", amount)])
        })
    };
    let capturing = |hold, amount| capturing_at(NOW, hold, amount);
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
    let too_late = given(events())
        .at(until)
        .refuses_to_replay(&capturing_at(until, 1, "1"));
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
