//! Holds: placed, then captured, voided or expired, once.

use super::given;
use super::words::*;
use crate::account::NormalSide::Debit;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::command::Command;
use crate::event::BookEvent;
use crate::refusal::Refusal;
use crate::transaction::{Code, NewTransaction, Reference};
use uuid::Uuid;

const SOON: &str = "2026-02-01T13:00:00Z";

fn alice() -> Vec<BookEvent> {
    vec![
        mint(),
        credit("alice"),
        credit("bob"),
        credit("fees"),
        paid("alice", "100"),
    ]
}

fn alice_with(event: BookEvent) -> Vec<BookEvent> {
    alice().into_iter().chain([event]).collect()
}

#[test]
fn a_hold_lowers_what_can_be_spent_at_once() {
    given(alice())
        .when(hold("alice", "40"))
        .then(held(0xE, "alice", "40"))
        .leaves("alice", "100.0000, held 40.0000")
        .when(hold("alice", "60.0001"))
        .refused(Refusal::InsufficientFunds {
            account: address("alice"),
            available: "60.0000".to_owned(),
            needed: "60.0001".to_owned(),
            asset: Asset::VCOIN,
        });
}

#[test]
fn a_hold_keeps_what_it_is_about_and_its_end() {
    let about = Reference {
        id: "7".to_owned(),
        kind: "assignment".to_owned(),
    };
    let mut command = hold_until("alice", "1", "2026-02-01T13:00:00.000000999Z");
    if let Command::PlaceHold { reference, .. } = &mut command {
        *reference = Some(about.clone());
    }
    let mut event = held_until(0xE, "alice", "1", SOON);
    if let BookEvent::HoldPlaced(placed) = &mut event {
        placed.reference = Some(about);
    }
    given(alice()).when(command).then(event);
}

#[test]
fn an_account_that_may_go_negative_may_hold_what_it_does_not_have() {
    given([mint()])
        .when(hold("mint", "5"))
        .accepted()
        .leaves("mint", "0.0000, held 5.0000");
}

#[test]
fn holds_stay_within_the_bounds() {
    let all = |account: &str| {
        let mut command = hold(account, "1");
        if let Command::PlaceHold { amount, .. } = &mut command {
            *amount = Amount::MAX;
        }
        command
    };
    given([mint()])
        .when(all("mint"))
        .accepted()
        .when(hold("mint", "0.0001"))
        .refused(Refusal::Overflow(address("mint")));
}

#[test]
fn a_hold_is_of_something() {
    for amount in ["0", "-1"] {
        given(alice())
            .when(hold("alice", amount))
            .refused(Refusal::AmountNotPositive {
                place: "the hold".to_owned(),
            });
    }
}

#[test]
fn a_hold_is_of_the_accounts_asset() {
    given([opened("bank", "USD", Debit, true)])
        .when(hold("bank", "1"))
        .refused(Refusal::AssetMismatch {
            place: "the hold".to_owned(),
            account: address("bank"),
            expected: asset("USD"),
            asset: Asset::VCOIN,
        });
}

#[test]
fn a_hold_ends_in_the_future() {
    for past in [NOW, "2026-02-01T12:00:00.000000999Z", "2025-01-01T00:00:00Z"] {
        given(alice())
            .when(hold_until("alice", "1", past))
            .refused_as("expiry_in_past");
    }
    given(alice())
        .when(hold_until("alice", "1", "2026-02-01T12:00:00.000001Z"))
        .accepted();
    given(alice())
        .when(hold_until("alice", "1", "+10000-01-01T00:00:00Z"))
        .refused_as("invalid_text");
}

#[test]
fn a_frozen_account_holds_nothing_more() {
    given(alice_with(frozen("alice")))
        .when(hold("alice", "1"))
        .refused(Refusal::AccountFrozen(address("alice")));
}

#[test]
fn a_capture_is_a_transaction_and_releases_the_rest() {
    let postings = [from("alice", "bob", "27"), from("alice", "fees", "3")];
    let mut event = posted(postings.clone());
    event.captures = Some(Uuid::from_u128(1));
    given(alice_with(held(1, "alice", "40")))
        .when(capture(1, postings))
        .then(BookEvent::TransactionPosted(event))
        .leaves("alice", "70.0000")
        .leaves("bob", "27.0000")
        .leaves("fees", "3.0000");
}

#[test]
fn a_capture_takes_effect_now_whatever_it_says() {
    let early = NewTransaction {
        effective_at: Some(time("2020-01-01T00:00:00Z")),
        code: Code::CAPTURE,
        ..transfer([from("alice", "bob", "1")])
    };
    let mut event = posted([from("alice", "bob", "1")]);
    event.captures = Some(Uuid::from_u128(1));
    event.code = Code::CAPTURE;
    given(alice_with(held(1, "alice", "40")))
        .when(Command::Capture {
            hold: Uuid::from_u128(1),
            transaction: early,
        })
        .then(BookEvent::TransactionPosted(event));
}

#[test]
fn a_capture_takes_up_to_the_hold_from_its_account() {
    let events = || alice_with(held(1, "alice", "40"));
    given(events())
        .when(capture(1, [from("alice", "bob", "40")]))
        .accepted()
        .leaves("alice", "60.0000");
    given(events())
        .when(capture(
            1,
            [from("alice", "bob", "40"), from("alice", "fees", "0.0001")],
        ))
        .refused(Refusal::CaptureExceedsHold {
            requested: "40.0001".to_owned(),
            held: "40.0000".to_owned(),
        });
    for other in [from("mint", "bob", "1"), from("bob", "alice", "1")] {
        given(events())
            .when(capture(1, [from("alice", "bob", "1"), other]))
            .refused(Refusal::CaptureFromOtherAccount {
                posting: 2,
                account: address("alice"),
            });
    }
}

#[test]
fn a_hold_on_the_debit_side_is_captured_by_credits() {
    let mut placed = held(1, "bank", "1");
    if let BookEvent::HoldPlaced(hold) = &mut placed {
        hold.asset = asset("USD");
        hold.amount = Amount::parse("4", hold.asset).unwrap();
    }
    let events = || {
        [
            opened("bank", "USD", Debit, false),
            opened("equity", "USD", Debit, true),
            BookEvent::TransactionPosted(posted([posting_of("USD", "bank", "equity", "4")])),
            placed.clone(),
        ]
    };
    given(events())
        .when(capture(1, [posting_of("USD", "equity", "bank", "3")]))
        .accepted()
        .leaves("bank", "1.00");
    given(events())
        .when(capture(1, [posting_of("USD", "bank", "equity", "3")]))
        .refused_as("capture_from_other_account");
}

#[test]
fn other_holds_stay_when_one_is_captured() {
    let mut events = alice_with(held(1, "alice", "40"));
    events.push(held(2, "alice", "60"));
    given(events)
        .when(capture(1, [from("alice", "bob", "40")]))
        .accepted()
        .leaves("alice", "60.0000, held 60.0000")
        .when(post([from("alice", "bob", "0.0001")]))
        .refused_as("insufficient_funds");
}

#[test]
fn a_capture_waits_while_an_account_is_frozen() {
    let mut events = alice_with(held(1, "alice", "40"));
    events.push(frozen("bob"));
    given(events)
        .when(capture(1, [from("alice", "bob", "1")]))
        .refused(Refusal::AccountFrozen(address("bob")));
}

#[test]
fn a_hold_is_voided() {
    given(alice_with(held(1, "alice", "40")))
        .when(void(1))
        .then(BookEvent::HoldVoided(released(1)))
        .leaves("alice", "100.0000");
}

#[test]
fn a_hold_of_a_frozen_account_can_still_be_released() {
    let mut events = alice_with(held_until(1, "alice", "40", SOON));
    events.push(frozen("alice"));
    given(events.clone())
        .when(void(1))
        .accepted()
        .leaves("alice", "100.0000");
    given(events)
        .at(SOON)
        .when(expire(1))
        .accepted()
        .leaves("alice", "100.0000");
}

#[test]
fn a_hold_expires_when_its_time_is_over_and_not_before() {
    let events = || alice_with(held_until(1, "alice", "40", SOON));
    given(events())
        .at(SOON)
        .when(expire(1))
        .then(BookEvent::HoldExpired(released(1)))
        .leaves("alice", "100.0000");
    given(events())
        .at("2026-02-01T12:59:59.999999Z")
        .when(expire(1))
        .refused(Refusal::HoldNotExpired(Uuid::from_u128(1)));
    given(alice_with(held(1, "alice", "40")))
        .at("9999-01-01T00:00:00Z")
        .when(expire(1))
        .refused(Refusal::HoldNotExpired(Uuid::from_u128(1)));
}

#[test]
fn a_hold_whose_time_is_over_is_not_captured() {
    let events = || alice_with(held_until(1, "alice", "40", SOON));
    given(events())
        .at(SOON)
        .when(capture(1, [from("alice", "bob", "1")]))
        .refused(Refusal::HoldExpired {
            hold: Uuid::from_u128(1),
            expires_at: time(SOON),
        });
    given(events())
        .at("2026-02-01T12:59:59.999999Z")
        .when(capture(1, [from("alice", "bob", "1")]))
        .accepted();
    // It still lowers what can be spent, until an event says that it is over.
    given(events())
        .at(SOON)
        .when(post([from("alice", "bob", "60.0001")]))
        .refused_as("insufficient_funds");
}

#[test]
fn a_hold_is_resolved_once() {
    let again = || [capture(1, [from("alice", "bob", "1")]), void(1), expire(1)];
    for first in again() {
        for second in again() {
            let given = given(alice_with(held_until(1, "alice", "40", SOON)));
            let given = if matches!(first, Command::ExpireHold { .. }) {
                given.at(SOON)
            } else {
                given
            };
            given
                .when(first.clone())
                .accepted()
                .when(second)
                .refused(Refusal::UnknownHold(Uuid::from_u128(1)));
        }
    }
}

#[test]
fn a_hold_that_never_was_is_unknown() {
    for command in [capture(9, [from("alice", "bob", "1")]), void(9), expire(9)] {
        given(alice())
            .when(command)
            .refused(Refusal::UnknownHold(Uuid::from_u128(9)));
    }
}
