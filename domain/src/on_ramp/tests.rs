//! Given, when, then for purchases.

use super::*;
use crate::given::given;
use crate::ids::{OnRampId, UserId};
use crate::money::{Money, Rate, Vcoin};
use crate::terms::Terms;
use crate::text::InvalidText;
use uuid::Uuid;
use viral_ledger::{Amount, Asset};

fn money(amount: &str, code: &str) -> Money {
    let asset = Asset::parse(code).unwrap();
    let amount = Amount::parse(amount, asset).unwrap();
    Money { amount, asset }
}

fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

fn complete(fiat: Money, rate: Rate, fiat_entry: &str) -> OnRampCommand {
    OnRampCommand::Complete {
        on_ramp: OnRampId::of(fiat_entry),
        user: UserId(Uuid::from_u128(1)),
        fiat,
        fiat_entry: fiat_entry.to_owned(),
        terms: Terms {
            rate,
            ..Terms::default()
        },
        transaction: Uuid::from_u128(2),
    }
}

fn completed(amount: &str, fiat: Money, rate: Rate) -> OnRampEvent {
    OnRampEvent::Completed(Completed {
        amount_vcoin: Vcoin::parse(amount).unwrap(),
        fiat,
        fiat_entry: "ch_1".to_owned(),
        on_ramp: OnRampId::of("ch_1"),
        rate,
        transaction: Uuid::from_u128(2),
        user: UserId(Uuid::from_u128(1)),
    })
}

#[test]
fn fiat_money_becomes_v_coin_rounded_down() {
    let table = [
        ("100.00", "0.01", "10000.0000"),
        ("1.00", "0.03", "33.3333"),
        ("0.01", "100", "0.0001"),
    ];
    for (fiat, at, amount) in table {
        let (fiat, rate) = (money(fiat, "USD"), rate(at));
        given::<OnRamp>([])
            .when(complete(fiat, rate, "ch_1"))
            .then([completed(amount, fiat, rate)]);
    }
}

#[test]
fn a_fiat_entry_counts_once() {
    let (fiat, rate) = (money("100.00", "USD"), rate("0.01"));
    // What else is wrong with the second purchase does not matter: the first check is the first answer.
    for again in [fiat, money("0.00", "EUR")] {
        given::<OnRamp>([completed("10000", fiat, rate)])
            .when(complete(again, rate, "ch_1"))
            .then_error(OnRampError::AlreadyCompleted {
                fiat_entry: "ch_1".to_owned(),
            });
    }
}

#[test]
fn something_must_have_come_in_in_the_right_currency() {
    let rate = rate("0.01");
    let nothing = money("0.00", "USD");
    given::<OnRamp>([])
        .when(complete(nothing, rate, "ch_1"))
        .then_error(OnRampError::AmountNotPositive(nothing));
    let less = Money {
        amount: Amount::from_minor(-1).unwrap(),
        ..nothing
    };
    given::<OnRamp>([])
        .when(complete(less, rate, "ch_1"))
        .then_error(OnRampError::AmountNotPositive(less));
    let euros = money("1.00", "EUR");
    given::<OnRamp>([])
        .when(complete(euros, rate, "ch_1"))
        .then_error(OnRampError::WrongCurrency {
            given: euros.asset,
            expected: nothing.asset,
        });
}

#[test]
fn an_entry_has_one_name() {
    let long = "x".repeat(201);
    for (entry, problem) in [
        ("", "must not be empty"),
        (" ", "has U+0020 as character 1, a space at the beginning: leave it out"),
        ("ch\n1", "has U+000A as character 3, a control character: leave it out"),
        (long.as_str(), "has more than 200 characters"),
        ("ch_1 ", "has U+0020 as character 5, a space at the end: leave it out"),
        (
            "\u{a0}ch_1",
            "has U+00A0 as character 1, another space than U+0020: write that one, or leave it out",
        ),
        (
            "ch_\u{200b}1",
            "has U+200B as character 4, which cannot be seen: leave it out",
        ),
    ] {
        given::<OnRamp>([])
            .when(complete(money("1.00", "USD"), rate("0.01"), entry))
            .then_error(OnRampError::InvalidText(InvalidText {
                field: "fiat_entry",
                problem: problem.to_owned(),
            }));
    }
}

#[test]
fn what_is_issued_is_an_amount() {
    let (cent, dear) = (money("0.01", "USD"), rate("1000"));
    given::<OnRamp>([])
        .when(complete(cent, dear, "ch_1"))
        .then_error(OnRampError::OnRampTooSmall { fiat: cent, rate: dear });
    let (fortune, cheap) = (
        Money {
            amount: Amount::MAX,
            ..cent
        },
        rate("0.00000001"),
    );
    given::<OnRamp>([])
        .when(complete(fortune, cheap, "ch_1"))
        .then_error(OnRampError::AmountOutOfRange {
            fiat: fortune,
            rate: cheap,
        });
}
