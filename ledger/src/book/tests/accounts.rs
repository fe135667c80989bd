//! Opening, freezing and closing.

use super::given;
use super::words::*;
use crate::account::NormalSide::{Credit, Debit};
use crate::command::Command;
use crate::event::BookEvent;
use crate::refusal::Refusal;

#[test]
fn an_account_is_opened() {
    given([])
        .when(open("stripe:usd:clearing", "USD", Debit, true))
        .then(opened("stripe:usd:clearing", "USD", Debit, true))
        .leaves("stripe:usd:clearing", "0.00");
}

#[test]
fn an_address_is_taken_once_whatever_it_counts() {
    given([credit("alice")])
        .when(open("alice", "USD", Debit, true))
        .refused(Refusal::AccountExists(address("alice")));
}

#[test]
fn a_closed_address_stays_taken() {
    given([credit("alice"), closed("alice")])
        .when(open("alice", "VCOIN", Credit, false))
        .refused(Refusal::AccountExists(address("alice")));
}

#[test]
fn an_account_is_frozen() {
    given([mint(), credit("alice"), paid("alice", "5")])
        .when(freeze("alice"))
        .then(frozen("alice"))
        .leaves("alice", "5.0000")
        .when(post([from("alice", "mint", "1")]))
        .refused(Refusal::AccountFrozen(address("alice")));
}

#[test]
fn a_frozen_account_takes_nothing_in_either() {
    given([mint(), credit("alice"), frozen("alice")])
        .when(post([from("mint", "alice", "1")]))
        .refused(Refusal::AccountFrozen(address("alice")));
}

#[test]
fn an_account_is_frozen_once() {
    given([credit("alice"), frozen("alice")])
        .when(freeze("alice"))
        .refused(Refusal::AccountFrozen(address("alice")));
}

#[test]
fn an_account_is_unfrozen() {
    given([mint(), credit("alice"), paid("alice", "5"), frozen("alice")])
        .when(unfreeze("alice"))
        .then(unfrozen("alice"))
        .when(post([from("alice", "mint", "1")]))
        .accepted()
        .leaves("alice", "4.0000");
}

#[test]
fn what_is_not_frozen_is_not_unfrozen() {
    given([credit("alice")])
        .when(unfreeze("alice"))
        .refused(Refusal::AccountNotFrozen(address("alice")));
}

#[test]
fn an_empty_account_is_closed() {
    given([mint(), credit("alice"), paid("alice", "5"), credit("bob")])
        .when(post([from("alice", "bob", "5")]))
        .accepted()
        .when(close("alice"))
        .then(closed("alice"))
        .when(post([from("bob", "alice", "1")]))
        .refused(Refusal::AccountClosed(address("alice")));
}

#[test]
fn an_account_with_money_is_not_closed() {
    given([mint(), credit("alice"), paid("alice", "0.0001")])
        .when(close("alice"))
        .refused(Refusal::AccountNotEmpty(address("alice")));
}

#[test]
fn an_account_that_owes_is_not_closed() {
    given([mint(), credit("alice"), paid("alice", "1")])
        .when(close("mint"))
        .refused(Refusal::AccountNotEmpty(address("mint")));
}

#[test]
fn an_empty_account_with_a_hold_is_not_closed() {
    given([mint(), held(1, "mint", "1")])
        .when(close("mint"))
        .refused(Refusal::AccountNotEmpty(address("mint")));
}

#[test]
fn a_frozen_account_is_not_closed() {
    given([credit("alice"), frozen("alice")])
        .when(close("alice"))
        .refused(Refusal::AccountFrozen(address("alice")));
}

#[test]
fn a_closed_account_never_changes_again() {
    for command in [freeze("alice"), unfreeze("alice"), close("alice"), hold("alice", "1")] {
        given([credit("alice"), closed("alice")])
            .when(command)
            .refused(Refusal::AccountClosed(address("alice")));
    }
}

#[test]
fn an_account_that_was_never_opened_is_unknown() {
    for command in [
        freeze("nobody"),
        unfreeze("nobody"),
        close("nobody"),
        hold("nobody", "1"),
    ] {
        given([])
            .when(command)
            .refused(Refusal::UnknownAccount(address("nobody")));
    }
}

#[test]
fn reasons_are_kept_and_checked() {
    let freeze_for = |reason: &str| Command::FreezeAccount {
        account: address("alice"),
        reason: Some(reason.to_owned()),
    };
    let kept = match frozen("alice") {
        BookEvent::AccountFrozen(mut changed) => {
            changed.reason = Some("chargeback — §4".to_owned());
            BookEvent::AccountFrozen(changed)
        }
        other => other,
    };
    given([credit("alice")]).when(freeze_for("chargeback — §4")).then(kept);
    for bad in ["two\nlines", "nul\0", &"é".repeat(1_001)] {
        given([credit("alice")])
            .when(freeze_for(bad))
            .refused_as("invalid_text");
    }
    given([credit("alice")]).when(freeze_for(&"é".repeat(1_000))).accepted();
}
