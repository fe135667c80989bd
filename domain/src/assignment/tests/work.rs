//! Submitting, reviewing, withdrawing, expiring.

use super::*;
use crate::given::given;
use crate::text::{InvalidText, REASON};

#[test]
fn work_is_submitted_and_approved() {
    let state = given::<Assignment>(past(Status::Accepted))
        .when(submit(work(), &json!({}), now()))
        .then([submitted(1, None)])
        .state();
    assert_eq!(
        (state.hold, state.submissions, state.deliverable),
        (Some(HOLD), 1, Some(work()))
    );
    let state = given::<Assignment>(past(Status::Submitted))
        .when(approve())
        .then([approved()])
        .state();
    assert_eq!((state.status, state.hold), (Status::Approved, None));
}

#[test]
fn after_a_rejection_work_is_submitted_again_under_a_new_hold() {
    let state = given::<Assignment>(past(Status::Submitted))
        .when(reject("too short"))
        .then([rejected()])
        .state();
    assert_eq!((state.status, state.hold), (Status::Rejected, None));
    let state = given::<Assignment>(past(Status::Rejected))
        .when(submit(work(), &json!({}), now()))
        .then([submitted(2, Some(SECOND_HOLD))])
        .state();
    assert_eq!((state.hold, state.submissions), (Some(SECOND_HOLD), 2));
}

#[test]
fn work_comes_before_the_deadline() {
    let passed = || AssignmentError::DeadlinePassed { deadline: deadline() };
    let moment_before = deadline() - chrono::TimeDelta::microseconds(1);
    for status in [Status::Accepted, Status::Rejected] {
        given::<Assignment>(past(status))
            .when(submit(work(), &json!({}), deadline()))
            .then_error(passed());
        let answer = given::<Assignment>(past(status))
            .when(submit(work(), &json!({}), moment_before))
            .answer();
        assert!(answer.is_ok());
    }
}

#[test]
fn work_is_reviewed_once() {
    for status in [Status::Approved, Status::Rejected] {
        let error = |action| wrong(status.as_str(), action, &[Status::Submitted]);
        given::<Assignment>(past(status))
            .when(approve())
            .then_error(error("it can be approved"));
        given::<Assignment>(past(status))
            .when(reject("no"))
            .then_error(error("it can be rejected"));
    }
}

#[test]
fn a_place_is_given_back_before_the_review() {
    for status in [Status::Accepted, Status::Submitted, Status::Rejected] {
        let state = given::<Assignment>(past(status))
            .when(withdraw(Some("ill")))
            .then([AssignmentEvent::Withdrawn(because(Some("ill")))])
            .state();
        assert_eq!((state.status, state.hold), (Status::Withdrawn, None));
    }
}

#[test]
fn what_waits_for_the_creator_expires() {
    let expire = |now: DateTime<Utc>| AssignmentCommand::Expire { now: now.into() };
    for status in [Status::Invited, Status::Accepted, Status::Rejected] {
        let state = given::<Assignment>(past(status))
            .when(expire(deadline()))
            .then([expired()])
            .state();
        assert_eq!((state.status, state.hold), (Status::Expired, None));
        given::<Assignment>(past(status))
            .when(expire(now()))
            .then_error(AssignmentError::DeadlineNotPassed { deadline: deadline() });
    }
    // Timely work waits for the sponsor.
    given::<Assignment>(past(Status::Submitted))
        .when(expire(deadline()))
        .then_error(wrong(
            "submitted",
            "it can expire",
            &[Status::Invited, Status::Accepted, Status::Rejected],
        ));
}

#[test]
fn reasons_are_one_line() {
    let invalid = |problem: &str| {
        let problem = problem.to_owned();
        AssignmentError::InvalidText(InvalidText {
            field: "reason",
            problem,
        })
    };
    let long = "x".repeat(REASON + 1);
    let (empty, long_problem) = ("must not be empty", "has more than 1000 characters");
    given::<Assignment>(past(Status::Submitted))
        .when(reject(" "))
        .then_error(invalid(empty));
    given::<Assignment>(past(Status::Submitted))
        .when(reject(&long))
        .then_error(invalid(long_problem));
    given::<Assignment>(past(Status::Submitted))
        .when(withdraw(Some(&long)))
        .then_error(invalid(long_problem));
    given::<Assignment>([invited()])
        .when(decline(Some("")))
        .then_error(invalid(empty));
    given::<Assignment>([invited()])
        .when(cancel(Some("a\nb")))
        .then_error(invalid("has control characters"));
}
