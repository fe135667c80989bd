//! Reversals: the mirror image, effective now.

use super::given;
use super::words::*;
use crate::command::Command;
use crate::event::BookEvent;
use crate::refusal::Refusal;
use crate::transaction::{Code, Transaction};
use uuid::Uuid;

fn alice_paid_bob() -> Vec<BookEvent> {
    vec![
        mint(),
        credit("alice"),
        credit("bob"),
        paid("alice", "100"),
        BookEvent::TransactionPosted(posted([from("alice", "bob", "30")])),
    ]
}

#[test]
fn a_reversal_is_the_mirror_image() {
    given(alice_paid_bob())
        .when(reverse(5, [from("alice", "bob", "30")]))
        .then(BookEvent::TransactionPosted(Transaction {
            code: Code::REVERSAL,
            reverses: Some(Uuid::from_u128(5)),
            ..posted([from("bob", "alice", "30")])
        }))
        .leaves("alice", "100.0000")
        .leaves("bob", "0.0000");
}

#[test]
fn its_reason_is_its_description() {
    let mut command = reverse(5, [from("alice", "bob", "30")]);
    if let Command::Reverse { reason, .. } = &mut command {
        *reason = Some("wrong creator".to_owned());
    }
    given(alice_paid_bob())
        .when(command)
        .then(BookEvent::TransactionPosted(Transaction {
            code: Code::REVERSAL,
            description: Some("wrong creator".to_owned()),
            reverses: Some(Uuid::from_u128(5)),
            ..posted([from("bob", "alice", "30")])
        }));
}

#[test]
fn a_transaction_of_a_closed_period_is_reversed_in_the_open_one() {
    let mut events = alice_paid_bob();
    events.push(period_closed("2026-01-31"));
    given(events)
        .when(reverse(5, [from("alice", "bob", "30")]))
        .accepted()
        .leaves("alice", "100.0000");
}

#[test]
fn a_reversal_is_not_reversed() {
    let mut command = reverse(5, [from("alice", "bob", "30")]);
    if let Command::Reverse { is_reversal, .. } = &mut command {
        *is_reversal = true;
    }
    given(alice_paid_bob())
        .when(command)
        .refused(Refusal::ReversalOfReversal(Uuid::from_u128(5)));
}

#[test]
fn money_that_was_spent_is_not_taken_back() {
    let mut events = alice_paid_bob();
    events.push(BookEvent::TransactionPosted(posted([from("bob", "mint", "1")])));
    given(events)
        .when(reverse(5, [from("alice", "bob", "30")]))
        .refused_as("insufficient_funds");
}
