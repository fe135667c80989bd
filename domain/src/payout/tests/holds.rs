//! Suspicions stop a payout until all of them are dismissed.

use super::*;

fn hold(number: u128) -> PayoutCommand {
    let flag = flag(number);
    PayoutCommand::Hold { flag }
}

fn release(number: u128) -> PayoutCommand {
    let flag = flag(number);
    PayoutCommand::Release { flag }
}

#[test]
fn holds_are_counted_one_by_one() {
    let state = payout_that_is(Status::Requested)
        .when(hold(1))
        .then([held(1)])
        .when(hold(2))
        .then([held(2)])
        .when(release(1))
        .then([released(1)])
        .state();
    assert_eq!((state.status, state.holds), (Status::Requested, [flag(2)].into()));
}

#[test]
fn a_suspicion_holds_once() {
    given::<Payout>([past(Status::Requested), vec![held(1)]].concat())
        .when(hold(1))
        .then_error(PayoutError::AlreadyHeld(flag(1)));
    given::<Payout>([past(Status::Requested), vec![held(1)]].concat())
        .when(release(2))
        .then_error(PayoutError::NotHeld(flag(2)));
}

#[test]
fn a_payout_goes_on_when_the_last_suspicion_is_dismissed() {
    let past = [past(Status::Approved), vec![held(1), held(2), released(1)]].concat();
    given::<Payout>(past.clone())
        .when(submit())
        .then_error(PayoutError::PayoutHeld { flags: 1 });
    given::<Payout>(past)
        .when(release(2))
        .then([released(2)])
        .when(submit())
        .then([submitted(1)]);
}

#[test]
fn what_was_sent_before_the_suspicion_ends_but_is_not_sent_again() {
    payout_that_is(Status::Submitted)
        .when(hold(1))
        .then([held(1)])
        .when(settle())
        .then([settled(1)]);
    payout_that_is(Status::Unknown)
        .when(hold(1))
        .then([held(1)])
        .when(fail(false))
        .then([PayoutEvent::AttemptFailed(attempt(1))])
        .when(submit())
        .then_error(PayoutError::PayoutHeld { flags: 1 });
}

#[test]
fn what_is_over_is_not_held() {
    for status in Status::ALL.into_iter().filter(|status| status.is_over()) {
        let needed = "still under way";
        payout_that_is(status)
            .when(hold(1))
            .then_error(wrong(status, "held", needed));
        payout_that_is(status)
            .when(release(1))
            .then_error(wrong(status, "released", needed));
    }
}
