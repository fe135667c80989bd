//! Asking for money.

use super::*;

fn ask(request: Request) -> PayoutCommand {
    PayoutCommand::Request(request)
}

#[test]
fn a_request_records_what_it_was_decided_by() {
    let state = given::<Payout>([])
        .when(ask(request()))
        .then([PayoutEvent::Requested(requested())])
        .state();
    assert_eq!(state.status, Status::Requested);
    assert_eq!(state.request, Some(requested()));
    assert_eq!((state.attempt, state.holds.len()), (0, 0));
}

#[test]
fn a_payout_is_requested_once() {
    given::<Payout>(past(Status::Cancelled))
        .when(ask(request_of("0")))
        .then_error(PayoutError::PayoutExists(payout()));
}

#[test]
fn a_payout_that_nobody_requested_is_unknown() {
    given::<Payout>([])
        .when(cancel())
        .then_error(PayoutError::UnknownPayout);
}

#[test]
fn something_must_be_asked_for() {
    let less = Vcoin(Amount::from_minor(-1).unwrap());
    for amount in [Vcoin::ZERO, less] {
        given::<Payout>([])
            .when(ask(Request { amount, ..request() }))
            .then_error(PayoutError::AmountNotPositive(amount));
    }
}

#[test]
fn the_payee_gets_at_least_a_cent() {
    let (fiat, rate) = (usd("0").asset, Terms::default().rate);
    let amount = vcoin("0.9999");
    given::<Payout>([])
        .when(ask(request_of("0.9999")))
        .then_error(PayoutError::PayoutTooSmall { amount, rate, fiat });
    given::<Payout>([])
        .when(ask(request_of("1.9999")))
        .then([PayoutEvent::Requested(requested_of("1.9999", "0.01"))]);
}

#[test]
fn the_fiat_money_is_an_amount() {
    let (fiat, rate) = (usd("0").asset, Rate::parse("1000000").unwrap());
    let amount = Vcoin(Amount::MAX);
    let terms = Terms {
        rate,
        ..Terms::default()
    };
    given::<Payout>([])
        .when(ask(Request {
            amount,
            terms,
            ..request()
        }))
        .then_error(PayoutError::AmountOutOfRange { amount, rate, fiat });
}

#[test]
fn an_admin_is_needed_above_the_limit_only() {
    for (amount, fiat, needed) in [
        ("999.9999", "9.99", false),
        ("1000.0000", "10.00", false),
        ("1000.0001", "10.00", true),
    ] {
        let event = PayoutEvent::Requested(requested_of(amount, fiat));
        assert_eq!(given::<Payout>([event]).state().needs_admin(), needed, "{amount}");
    }
    assert!(!Payout::default().needs_admin());
}
