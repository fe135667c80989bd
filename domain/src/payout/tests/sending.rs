//! Attempts to pay, and what becomes of them.

use super::*;

#[test]
fn attempts_are_counted() {
    let state = payout_that_is(Status::Approved)
        .when(submit())
        .then([submitted(1)])
        .when(fail(false))
        .then([PayoutEvent::AttemptFailed(attempt(1))])
        .when(submit())
        .then([submitted(2)])
        .state();
    assert_eq!((state.status, state.attempt), (Status::Submitted, 2));
}

#[test]
fn the_last_attempt_gives_the_money_back() {
    let failed = || PayoutEvent::Failed(ended(Some("account closed")));
    let state = given::<Payout>([past(Status::Approved), vec![submitted(3)]].concat())
        .when(fail(false))
        .then([PayoutEvent::AttemptFailed(attempt(3)), failed()])
        .state();
    assert_eq!(state.status, Status::Failed);
    // Or an earlier one, if another makes no sense; also one that was out of sight.
    for status in [Status::Submitted, Status::Unknown] {
        payout_that_is(status)
            .when(fail(true))
            .then([PayoutEvent::AttemptFailed(attempt(1)), failed()]);
    }
}

#[test]
fn an_attempt_that_paid_settles_the_payout() {
    for status in [Status::Submitted, Status::Unknown] {
        let state = payout_that_is(status).when(settle()).then([settled(1)]).state();
        assert_eq!(state.status, Status::Settled);
    }
}

#[test]
fn nothing_is_sent_while_it_is_unknown_whether_it_was() {
    payout_that_is(Status::Submitted)
        .when(lose_sight())
        .then([PayoutEvent::Unknown(attempt(1))])
        .when(submit())
        .then_error(wrong(Status::Unknown, "submitted", "approved"));
    payout_that_is(Status::Unknown)
        .when(fail(false))
        .then([PayoutEvent::AttemptFailed(attempt(1))])
        .when(submit())
        .then([submitted(2)]);
}

#[test]
fn only_what_was_sent_has_an_outcome() {
    let status = Status::Approved;
    let needed = "submitted or unknown";
    payout_that_is(status)
        .when(settle())
        .then_error(wrong(status, "settled", needed));
    payout_that_is(status)
        .when(fail(true))
        .then_error(wrong(status, "failed", needed));
    let error = wrong(status, "marked as unknown", "submitted");
    payout_that_is(status).when(lose_sight()).then_error(error);
}

#[test]
fn a_payout_is_paid_once() {
    let error = wrong(Status::Settled, "settled", "submitted or unknown");
    payout_that_is(Status::Settled).when(settle()).then_error(error);
}

#[test]
fn texts_of_providers_must_be_presentable() {
    let long = |max: usize| Some("x".repeat(max + 1));
    let sent = || payout_that_is(Status::Submitted);
    let transaction = transaction();
    let provider = String::new();
    let command = PayoutCommand::Submit { provider };
    assert_eq!(refused_text(payout_that_is(Status::Approved), command), "provider");
    let (provider_reference, reason) = (long(200), long(1_000));
    let command = PayoutCommand::Settle {
        provider_reference,
        transaction,
    };
    assert_eq!(refused_text(sent(), command), "provider_reference");
    let command = PayoutCommand::LoseSight { reason: reason.clone() };
    assert_eq!(refused_text(sent(), command), "reason");
    let finally = false;
    let command = PayoutCommand::FailAttempt {
        reason,
        finally,
        transaction,
    };
    assert_eq!(refused_text(sent(), command), "reason");
    // What a provider says may have several lines.
    let reason = Some("no\nanswer".to_owned());
    let event = PayoutEvent::Unknown(Attempt {
        reason: reason.clone(),
        ..attempt(1)
    });
    sent().when(PayoutCommand::LoseSight { reason }).then([event]);
}
