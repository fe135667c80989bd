//! Who must agree, and to what.

use super::*;

fn small() -> Requested {
    requested_of("1000", "10.00")
}

fn with_digest(command: PayoutCommand, new: &str) -> PayoutCommand {
    let digest = new.to_owned();
    match command {
        PayoutCommand::ApproveAsSponsor { by, second_factor, .. } => PayoutCommand::ApproveAsSponsor {
            by,
            digest,
            second_factor,
        },
        PayoutCommand::ApproveAsAdmin { by, second_factor, .. } => PayoutCommand::ApproveAsAdmin {
            by,
            digest,
            second_factor,
        },
        other => other,
    }
}

#[test]
fn the_sponsor_is_enough_up_to_the_limit() {
    let by = sponsor().to_string();
    let approval = Approval {
        digest: small().digest,
        ..approval(&by)
    };
    let state = given::<Payout>([PayoutEvent::Requested(small())])
        .when(with_digest(approve_as_sponsor(&by), &small().digest))
        .then([PayoutEvent::SponsorApproved(approval.clone()), approved(None)])
        .state();
    assert_eq!(state.status, Status::Approved);
    assert_eq!((state.sponsor_approval, state.admin_approval), (Some(approval), None));
}

#[test]
fn above_the_limit_an_admin_agrees_too() {
    let by = sponsor().to_string();
    let state = payout_that_is(Status::Requested)
        .when(approve_as_sponsor(&by))
        .then([PayoutEvent::SponsorApproved(approval(&by))])
        .when(approve_as_admin("admin"))
        .then([approved(Some(approval("admin")))])
        .state();
    assert_eq!(state.status, Status::Approved);
    assert_eq!(state.sponsor_approval, Some(approval(&by)));
    assert_eq!(state.admin_approval, Some(approval("admin")));
}

#[test]
fn an_admin_does_not_come_first_or_twice() {
    let error = |status| wrong(status, "approved by an admin", "sponsor_approved");
    for status in [Status::Requested, Status::Approved, Status::Submitted] {
        payout_that_is(status)
            .when(approve_as_admin("admin"))
            .then_error(error(status));
    }
    let text = "the payout is requested: only one that is sponsor_approved can be approved by an admin";
    assert_eq!(error(Status::Requested).to_string(), text);
}

#[test]
fn the_sponsor_agrees_once() {
    let status = Status::SponsorApproved;
    payout_that_is(status)
        .when(approve_as_sponsor(&sponsor().to_string()))
        .then_error(wrong(status, "approved by its sponsor", "requested"));
}

#[test]
fn nobody_approves_a_payout_of_their_own() {
    let creator_id = creator().to_string();
    let shouted = creator_id.to_uppercase();
    for by in [creator_id, shouted] {
        payout_that_is(Status::Requested)
            .when(approve_as_sponsor(&by))
            .then_error(PayoutError::OwnPayout(creator()));
        payout_that_is(Status::SponsorApproved)
            .when(approve_as_admin(&by))
            .then_error(PayoutError::OwnPayout(creator()));
    }
    // A sponsor who is the creator of a mission of the own campaign.
    let own = Requested {
        sponsor: creator(),
        ..requested()
    };
    given::<Payout>([PayoutEvent::Requested(own)])
        .when(approve_as_sponsor(&creator().to_string()))
        .then_error(PayoutError::OwnPayout(creator()));
}

#[test]
fn only_the_sponsor_of_the_campaign_agrees_as_a_sponsor() {
    let error = PayoutError::NotTheSponsor {
        campaign: campaign(),
        sponsor: sponsor(),
    };
    for by in ["admin", "", &payout().to_string()] {
        payout_that_is(Status::Requested)
            .when(approve_as_sponsor(by))
            .then_error(error.clone());
    }
}

#[test]
fn two_people_agree_above_the_limit() {
    payout_that_is(Status::SponsorApproved)
        .when(approve_as_admin(&sponsor().to_string()))
        .then_error(PayoutError::SameApprover {
            sponsor: sponsor(),
            admin_limit: vcoin("1000"),
        });
}

#[test]
fn an_approval_is_bound_to_what_was_seen() {
    let error = PayoutError::DigestMismatch {
        amount: vcoin("2000"),
        fiat: usd("20.00"),
        creator: creator(),
    };
    let less = small().digest;
    for digest in ["", &less, &requested().digest.to_uppercase()] {
        payout_that_is(Status::Requested)
            .when(with_digest(approve_as_sponsor(&sponsor().to_string()), digest))
            .then_error(error.clone());
        payout_that_is(Status::SponsorApproved)
            .when(with_digest(approve_as_admin("admin"), digest))
            .then_error(error.clone());
    }
}

#[test]
fn a_refusal_says_why() {
    for status in [Status::Requested, Status::SponsorApproved, Status::Approved] {
        let state = payout_that_is(status)
            .when(reject())
            .then([PayoutEvent::Rejected(ended(Some("account closed")))])
            .state();
        assert_eq!(state.status, Status::Rejected);
        for reason in ["", "a\nb", &"x".repeat(1_001)] {
            let (reason, transaction) = (reason.to_owned(), transaction());
            let command = PayoutCommand::Reject { reason, transaction };
            assert_eq!(refused_text(payout_that_is(status), command), "reason");
        }
    }
    let sent = Status::Submitted;
    payout_that_is(sent)
        .when(reject())
        .then_error(wrong(sent, "rejected", "requested, sponsor_approved or approved"));
}

#[test]
fn a_request_can_be_taken_back_until_it_is_sent() {
    let with = |reason: &str| PayoutCommand::Cancel {
        reason: Some(reason.to_owned()),
        transaction: transaction(),
    };
    for status in [Status::Requested, Status::SponsorApproved, Status::Approved] {
        let state = payout_that_is(status)
            .when(cancel())
            .then([PayoutEvent::Cancelled(ended(None))])
            .state();
        assert_eq!(state.status, Status::Cancelled);
        payout_that_is(status)
            .when(with("changed my mind"))
            .then([PayoutEvent::Cancelled(ended(Some("changed my mind")))]);
        assert_eq!(refused_text(payout_that_is(status), with(" ")), "reason");
    }
    let sent = Status::Unknown;
    payout_that_is(sent)
        .when(cancel())
        .then_error(wrong(sent, "cancelled", "requested, sponsor_approved or approved"));
}
