//! Posting.

use super::given;
use super::words::*;
use crate::account::NormalSide::Debit;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::command::Command;
use crate::event::BookEvent;
use crate::refusal::Refusal;
use crate::transaction::{Code, NewTransaction, Posting, Reference};

/// Alice has 100 V-Coin, Bob none.
fn alice_and_bob() -> Vec<BookEvent> {
    vec![mint(), credit("alice"), credit("bob"), paid("alice", "100")]
}

#[test]
fn money_moves_and_takes_effect_now() {
    given(alice_and_bob())
        .when(post([from("alice", "bob", "30")]))
        .then(BookEvent::TransactionPosted(posted([from("alice", "bob", "30")])))
        .leaves("alice", "70.0000")
        .leaves("bob", "30.0000")
        .leaves("mint", "-100.0000");
}

#[test]
fn all_that_is_there_can_be_spent_and_no_more() {
    given(alice_and_bob())
        .when(post([from("alice", "bob", "100")]))
        .accepted()
        .leaves("alice", "0.0000");
    given(alice_and_bob())
        .when(post([from("alice", "bob", "100.0001")]))
        .refused(Refusal::InsufficientFunds {
            account: address("alice"),
            available: "100.0000".to_owned(),
            needed: "100.0001".to_owned(),
            asset: Asset::VCOIN,
        });
}

#[test]
fn several_postings_are_one_movement_of_each_account() {
    // Bob has nothing before, but what he gives on arrives in the same transaction, wherever it stands.
    let through_bob = [from("bob", "carol", "30"), from("alice", "bob", "30")];
    given(alice_and_bob().into_iter().chain([credit("carol")]))
        .when(post(through_bob))
        .accepted()
        .leaves("bob", "0.0000")
        .leaves("carol", "30.0000");
    let twice = [from("alice", "bob", "60"), from("alice", "bob", "60")];
    given(alice_and_bob())
        .when(post(twice))
        .refused(Refusal::InsufficientFunds {
            account: address("alice"),
            available: "100.0000".to_owned(),
            needed: "120.0000".to_owned(),
            asset: Asset::VCOIN,
        });
}

#[test]
fn an_account_of_the_debit_side_is_spent_by_credits() {
    let bank = || {
        vec![
            opened("bank", "USD", Debit, false),
            opened("equity", "USD", Debit, true),
        ]
    };
    given(bank())
        .when(post([posting_of("USD", "bank", "equity", "10")]))
        .accepted()
        .leaves("bank", "10.00")
        .leaves("equity", "-10.00")
        .when(post([posting_of("USD", "equity", "bank", "10.01")]))
        .refused_as("insufficient_funds");
}

#[test]
fn several_assets_balance_each_by_itself() {
    let mut on_ramp = alice_and_bob();
    on_ramp.push(opened("clearing", "USD", Debit, false));
    on_ramp.push(opened("backing", "USD", crate::account::NormalSide::Credit, false));
    given(on_ramp)
        .when(post([
            posting_of("USD", "clearing", "backing", "9.99"),
            from("mint", "bob", "999"),
        ]))
        .accepted()
        .leaves("clearing", "9.99")
        .leaves("backing", "9.99")
        .leaves("bob", "999.0000");
}

#[test]
fn everything_said_beside_the_money_is_kept() {
    let said = NewTransaction {
        code: Code::parse("on_ramp").unwrap(),
        description: Some("a first step".to_owned()),
        effective_at: Some(time("2026-01-05T00:00:00Z")),
        metadata: [("rail".to_owned(), "card".to_owned())].into(),
        reference: Some(Reference {
            id: "42".to_owned(),
            kind: "campaign".to_owned(),
        }),
        ..transfer([from("alice", "bob", "1")])
    };
    let mut kept = posted([from("alice", "bob", "1")]);
    kept.code = said.code.clone();
    kept.description = said.description.clone();
    kept.effective_at = time("2026-01-05T00:00:00Z");
    kept.metadata = said.metadata.clone();
    kept.reference = said.reference.clone();
    given(alice_and_bob())
        .when(Command::Post(said))
        .then(BookEvent::TransactionPosted(kept));
}

#[test]
fn times_are_cut_to_what_the_log_keeps() {
    let mut kept = posted([from("alice", "bob", "1")]);
    kept.effective_at = time("2026-01-05T00:00:00.123456Z");
    given(alice_and_bob())
        .when(post_effective(
            "2026-01-05T00:00:00.123456789Z",
            [from("alice", "bob", "1")],
        ))
        .then(BookEvent::TransactionPosted(kept.clone()));
    kept.effective_at = time("2026-02-01T12:00:00.000001Z");
    given(alice_and_bob())
        .at("2026-02-01T12:00:00.000001999Z")
        .when(post([from("alice", "bob", "1")]))
        .then(BookEvent::TransactionPosted(kept));
}

#[test]
fn a_transaction_needs_a_posting() {
    given([]).when(post([])).refused(Refusal::EmptyTransaction);
}

#[test]
fn two_hundred_postings_are_the_most() {
    let postings = |n| vec![from("alice", "bob", "0.0001"); n];
    given(alice_and_bob())
        .when(post(postings(200)))
        .accepted()
        .leaves("bob", "0.0200");
    given(alice_and_bob())
        .when(post(postings(201)))
        .refused(Refusal::TooManyPostings { count: 201, max: 200 });
}

#[test]
fn the_code_of_reversals_is_reserved() {
    given(alice_and_bob())
        .when(Command::Post(NewTransaction {
            code: Code::REVERSAL,
            ..transfer([from("alice", "bob", "1")])
        }))
        .refused(Refusal::ReservedCode("reversal".to_owned()));
}

#[test]
fn text_that_cannot_be_kept_is_refused() {
    let plain = || transfer([from("alice", "bob", "1")]);
    let reference = |kind: &str, id: &str| NewTransaction {
        reference: Some(Reference {
            id: id.to_owned(),
            kind: kind.to_owned(),
        }),
        ..plain()
    };
    let metadata = |key: &str, value: &str| NewTransaction {
        metadata: [(key.to_owned(), value.to_owned())].into(),
        ..plain()
    };
    let many = NewTransaction {
        metadata: (0..65).map(|n| (n.to_string(), String::new())).collect(),
        ..plain()
    };
    let described = NewTransaction {
        description: Some("a\tb".to_owned()),
        ..plain()
    };
    let long = |n| "x".repeat(n);
    let cases = [
        (described, "description"),
        (reference("a\u{7f}", "1"), "reference.type"),
        (reference(&long(65), "1"), "reference.type"),
        (reference("campaign", &long(201)), "reference.id"),
        (reference("campaign", "4\u{200b}2"), "reference.id"),
        (reference("campaign", "42 "), "reference.id"),
        (reference("cafe\u{301}", "42"), "reference.type"),
        (metadata(&long(65), ""), "a key of metadata"),
        (metadata("k", "\r"), "metadata.k"),
        (metadata("k", &long(1_001)), "metadata.k"),
        (many, "metadata"),
    ];
    for (transaction, where_) in cases {
        let decision = given(alice_and_bob()).when(Command::Post(transaction)).decision;
        assert!(
            matches!(&decision, Err(Refusal::InvalidText { field, .. }) if field == where_),
            "{where_}: {decision:?}"
        );
    }
    for fits in [reference(&long(64), &long(200)), metadata(&long(64), &long(1_000))] {
        given(alice_and_bob()).when(Command::Post(fits)).accepted();
    }
}

#[test]
fn an_account_does_not_pay_itself() {
    given(alice_and_bob())
        .when(post([from("alice", "bob", "1"), from("alice", "alice", "1")]))
        .refused(Refusal::SelfTransfer {
            posting: 2,
            account: address("alice"),
        });
}

#[test]
fn amounts_are_more_than_nothing() {
    for amount in ["0", "-1"] {
        given(alice_and_bob())
            .when(post([from("alice", "bob", "1"), from("alice", "bob", amount)]))
            .refused(Refusal::AmountNotPositive {
                place: "posting 2".to_owned(),
            });
    }
}

#[test]
fn the_effective_time_has_a_year_of_four_digits() {
    for at in ["1900-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
        given(alice_and_bob())
            .when(post_effective(at, [from("alice", "bob", "1")]))
            .accepted();
    }
    for at in ["1899-12-31T23:59:59.999999Z", "+10000-01-01T00:00:00Z"] {
        given(alice_and_bob())
            .when(post_effective(at, [from("alice", "bob", "1")]))
            .refused(Refusal::EffectiveOutOfRange(time(at)));
    }
}

#[test]
fn both_accounts_must_be_open() {
    for postings in [[from("alice", "nobody", "1")], [from("nobody", "alice", "1")]] {
        given(alice_and_bob())
            .when(post(postings))
            .refused(Refusal::UnknownAccount(address("nobody")));
    }
}

#[test]
fn both_accounts_must_count_the_same() {
    let mut events = alice_and_bob();
    events.push(opened("dollars", "USD", Debit, true));
    given(events)
        .when(post([from("alice", "bob", "1"), from("alice", "dollars", "1")]))
        .refused(Refusal::AssetMismatch {
            place: "posting 2".to_owned(),
            account: address("dollars"),
            expected: asset("USD"),
            asset: Asset::VCOIN,
        });
}

#[test]
fn totals_stay_within_the_bounds() {
    let all = Posting {
        amount: Amount::MAX,
        ..from("mint", "alice", "1")
    };
    let full = || {
        [
            mint(),
            credit("alice"),
            credit("bob"),
            BookEvent::TransactionPosted(posted([all.clone()])),
        ]
    };
    given([mint(), credit("alice")])
        .when(post([all.clone()]))
        .accepted()
        .leaves("alice", "100000000000000000000.0000");
    given(full())
        .when(post([from("mint", "bob", "0.0001")]))
        .refused(Refusal::Overflow(address("mint")));
    given(full())
        .when(post([from("bob", "alice", "0.0001")]))
        .refused(Refusal::Overflow(address("alice")));
    // The account spends what it has: its other side has room for as much again.
    given(full())
        .when(post([from("alice", "bob", "0.0001")]))
        .accepted()
        .leaves("bob", "0.0001");
    // A sum that leaves the bounds although no amount does.
    given([mint(), credit("alice"), credit("bob")])
        .when(post([all, from("mint", "bob", "0.0001")]))
        .refused(Refusal::Overflow(address("mint")));
}

#[test]
fn what_is_held_cannot_be_spent() {
    let mut events = alice_and_bob();
    events.push(held(1, "alice", "40"));
    given(events)
        .when(post([from("alice", "bob", "60.0001")]))
        .refused(Refusal::InsufficientFunds {
            account: address("alice"),
            available: "60.0000".to_owned(),
            needed: "60.0001".to_owned(),
            asset: Asset::VCOIN,
        });
}
