//! Replaying what no sound book decided, and going back to savepoints.

use super::given;
use super::words::*;
use crate::account::NormalSide;
use crate::address::Address;
use crate::book::{Book, Violation};
use crate::command::Command;
use crate::event::{AccountChanged, AccountOpened, BookEvent, HoldPlaced, HoldReleased, SnapshotTaken};
use crate::refusal::Refusal;
use crate::transaction::{Code, NewTransaction, Posting, Reference, Transaction};
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
        (held(1, "alice", "101"), "insufficient_funds"),
        (held(1, "alice", "-1"), "amount_not_positive"),
        (BookEvent::HoldVoided(released(1)), "unknown_hold"),
        (BookEvent::HoldExpired(released(1)), "unknown_hold"),
        (held_until(1, "alice", "1", NOW), "expiry_in_past"),
        (period_closed("2026-02-01"), "period_not_over"),
    ];
    for (event, code) in cases {
        match given(alice()).refuses_to_replay(&event) {
            Violation::Refused(refusal) => assert_eq!(refusal.code(), code, "{event:?}"),
            Violation::Contradiction(text) => panic!("{event:?}: {text}"),
        }
    }
}

/// What another version of the program may have taken: longer texts, more postings, other years.
#[test]
fn rules_of_input_are_not_asked_again() {
    let long = || "\u{e9}\n".repeat(1_001);
    let reference = || {
        let (id, kind) = (long(), long());
        Some(Reference { id, kind })
    };
    let changed = |account| AccountChanged {
        account: address(account),
        reason: Some(long()),
    };
    let released = |hold| HoldReleased {
        reason: Some(long()),
        ..released(hold)
    };
    let long_posted = |postings: Vec<Posting>| {
        BookEvent::TransactionPosted(Transaction {
            code: Code::stored(&"a".repeat(33)).unwrap(),
            description: Some(long()),
            metadata: (0..65).map(|n| (format!("{n}\n"), long())).collect(),
            postings,
            reference: reference(),
            ..posted([])
        })
    };
    let dated = |year: &str| {
        BookEvent::TransactionPosted(Transaction {
            effective_at: time(&format!("{year}-01-01T00:00:00Z")),
            ..posted([from("alice", "bob", "1")])
        })
    };
    let long_account = || {
        let BookEvent::AccountOpened(opened) = credit("long") else {
            panic!("an account is opened")
        };
        BookEvent::AccountOpened(AccountOpened {
            account: Address::stored(&"a".repeat(201)).unwrap(),
            ..opened
        })
    };
    let far = "+10000-01-01T00:00:00Z";
    let BookEvent::HoldPlaced(placed) = held_until(2, "alice", "1", far) else {
        panic!("a hold is placed")
    };
    let placed = BookEvent::HoldPlaced(HoldPlaced {
        reference: reference(),
        ..placed
    });
    let accepted = [
        BookEvent::AccountFrozen(changed("bob")),
        BookEvent::AccountUnfrozen(changed("bob")),
        long_account(),
        long_posted(vec![from("alice", "bob", "0.0001"); 201]),
        long_posted(vec![from("alice", "alice", "1")]),
        long_posted(Vec::new()),
        dated("1800"),
        dated("+10000"),
        held(1, "alice", "1"),
        BookEvent::HoldVoided(released(1)),
        placed,
        credit("carol"),
        BookEvent::AccountClosed(changed("carol")),
        period_closed("1899-12-31"),
    ];
    let mut given = given(alice());
    for event in &accepted {
        given
            .book
            .evolve(given.now, event)
            .unwrap_or_else(|e| panic!("{event:?}: {e}"));
    }
    // A snapshot of it is read, too.
    let read = Book::from_state_text(&given.book.state_text(), given.book.sequence()).unwrap();
    assert_eq!(read, given.book);
    // Decisions ask them.
    let text = |reason: String| Command::VoidHold {
        hold: Uuid::from_u128(2),
        reason: Some(reason),
    };
    for (command, code) in [
        (text(long()), "invalid_text"),
        (close_period("1899-12-31"), "invalid_text"),
        (
            Command::OpenAccount {
                account: Address::stored(&"a".repeat(201)).unwrap(),
                asset: crate::asset::Asset::VCOIN,
                normal_side: NormalSide::Credit,
                may_go_negative: false,
            },
            "invalid_text",
        ),
        (
            Command::Post(NewTransaction {
                code: Code::stored(&"a".repeat(33)).unwrap(),
                ..transfer([from("alice", "bob", "1")])
            }),
            "invalid_text",
        ),
    ] {
        let decided = given.book.decide(EVENT, given.now, &command);
        assert_eq!(decided.map_err(|refusal| refusal.code()), Err(code), "{command:?}");
    }
}

/// What is compared with an event of the past is made by no rule of today.
#[test]
fn a_command_is_carried_out_without_being_asked_about() {
    let book = given(alice()).book;
    let command = Command::Post(transfer([
        from("bob", "alice", "1000000"),
        from("nobody", "nobody", "0"),
    ]));
    assert!(book.decide(EVENT, time(NOW), &command).is_err());
    let BookEvent::TransactionPosted(made) = book.carry_out(EVENT, time(NOW), &command) else {
        panic!("a transaction is posted")
    };
    assert_eq!((made.postings.len(), made.effective_at), (2, time(NOW)));
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
