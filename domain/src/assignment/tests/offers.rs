//! Inviting, accepting, joining, declining, cancelling.

use super::*;
use crate::given::given;

#[test]
fn a_creator_is_invited_and_accepts() {
    let state = given::<Assignment>([])
        .when(invite(now()))
        .then([invited()])
        .when(accept(now()))
        .then([accepted()])
        .state();
    assert_eq!(
        (state.status, state.fee, state.hold),
        (Status::Accepted, FEE, Some(HOLD))
    );
    assert_eq!(state.offer, Some(offer()));
}

#[test]
fn whoever_is_free_is_invited_again() {
    for status in [Status::Declined, Status::Withdrawn, Status::Expired, Status::Cancelled] {
        given::<Assignment>(past(status)).when(invite(now())).then([invited()]);
    }
    let free = &[
        Status::Missing,
        Status::Declined,
        Status::Withdrawn,
        Status::Expired,
        Status::Cancelled,
    ];
    given::<Assignment>(past(Status::Approved))
        .when(invite(now()))
        .then_error(wrong("approved", "creators can be invited", free));
    assert_eq!(
        wrong("approved", "creators can be invited", free).to_string(),
        "the assignment is approved: creators can be invited only while it is declined, withdrawn, expired or cancelled"
    );
}

#[test]
fn a_new_invitation_begins_anew_but_counts_on() {
    let withdrawn = AssignmentEvent::Withdrawn(because(None));
    let events = [past(Status::Submitted), vec![withdrawn, invited()]].concat();
    let state = given::<Assignment>(events.clone()).state();
    assert_eq!((state.submissions, state.deliverable, state.hold), (1, None, None));
    given::<Assignment>([events, vec![accepted()]].concat())
        .when(submit(work(), &json!({}), now()))
        .then([submitted(2, None)]);
}

#[test]
fn an_open_call_takes_whoever_is_free() {
    for status in [
        Status::Missing,
        Status::Invited,
        Status::Declined,
        Status::Withdrawn,
        Status::Cancelled,
    ] {
        given::<Assignment>(past(status)).when(join(now())).then([accepted()]);
    }
}

#[test]
fn nothing_begins_after_the_deadline() {
    let passed = || AssignmentError::DeadlinePassed { deadline: deadline() };
    given::<Assignment>([]).when(invite(deadline())).then_error(passed());
    given::<Assignment>([]).when(join(deadline())).then_error(passed());
    given::<Assignment>([invited()])
        .when(accept(deadline()))
        .then_error(passed());
}

#[test]
fn deadlines_are_cut_to_what_the_log_keeps() {
    let offer = Offered {
        deadline: deadline() + chrono::TimeDelta::nanoseconds(999),
        ..offer()
    };
    let command = AssignmentCommand::Invite {
        offer,
        now: now().into(),
    };
    given::<Assignment>([]).when(command).then([invited()]);
}

#[test]
fn an_invitation_is_declined_or_cancelled() {
    let state = given::<Assignment>([invited()])
        .when(decline(Some("no time")))
        .then([AssignmentEvent::Declined(because(Some("no time")))])
        .state();
    assert_eq!(state.status, Status::Declined);
    let state = given::<Assignment>([invited()])
        .when(cancel(None))
        .then([AssignmentEvent::Cancelled(because(None))])
        .state();
    assert_eq!(state.status, Status::Cancelled);
    given::<Assignment>(past(Status::Accepted))
        .when(decline(None))
        .then_error(wrong("accepted", "it can be declined", &[Status::Invited]));
}

#[test]
fn nothing_is_asked_of_what_is_not_there() {
    for command in [
        accept(now()),
        decline(None),
        withdraw(None),
        approve(),
        reject("x"),
        cancel(None),
    ] {
        given::<Assignment>([])
            .when(command)
            .then_error(AssignmentError::Unknown);
    }
}
