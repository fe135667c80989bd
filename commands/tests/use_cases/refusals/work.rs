//! What creators and reviewers cannot do with a place in a mission.

use crate::stage::*;
use crate::world::{id, vcoin};
use chrono::Duration;
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_commands::{AppendError, Rejection, Unit};
use viral_domain::{AssignmentId, UserId, effects};
use viral_ledger::{Amount, Asset, Code, Command, NewTransaction, Posting, Refusal};

#[tokio::test]
async fn invitations_reach_all_or_none() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let (_, mission) = stage.published("100", 1, "100").await;
    let (first, second) = (id(&stage.first), id(&stage.second));
    let invite = |creators: &[UserId]| InviteCreators {
        mission,
        creators: creators.to_vec(),
    };
    let nobody = UserId(Uuid::from_u128(99));
    world
        .refused(sponsor, &invite(&[first, nobody]), "unknown_creator")
        .await;
    world
        .refused(sponsor, &invite(&[first, id(sponsor)]), "unknown_creator")
        .await;
    world.refused(sponsor, &invite(&[]), "invalid_invitations").await;
    world
        .refused(sponsor, &invite(&[first, first]), "invalid_invitations")
        .await;
    world
        .refused(sponsor, &invite(&[nobody; 101]), "invalid_invitations")
        .await;
    world.must(sponsor, &invite(&[first])).await;
    world
        .refused(sponsor, &invite(&[second, first]), "assignment_wrong_status")
        .await;
    world.must(sponsor, &CloseMission { mission }).await;
    world.refused(sponsor, &invite(&[second]), "mission_closed").await;
    let assignment = AssignmentId::of(mission, first);
    world
        .refused(&stage.first, &AcceptAssignment { assignment }, "mission_closed")
        .await;
}

#[tokio::test]
async fn a_single_place_is_taken_once() {
    let stage = Stage::new().await;
    let (world, first, second) = (&stage.world, &stage.first, &stage.second);
    let (_, mission) = stage.published("100", 1, "500").await;
    stage.invite(mission, &[first, second]).await;
    world.must(&stage.sponsor, &OpenMission { mission }).await;
    let of_first = AssignmentId::of(mission, id(first));
    let of_second = AssignmentId::of(mission, id(second));
    world.must(first, &AcceptAssignment { assignment: of_first }).await;
    // The same creator by either way, and another one by either way.
    world
        .refused(
            first,
            &AcceptAssignment { assignment: of_first },
            "assignment_wrong_status",
        )
        .await;
    world
        .refused(first, &JoinMission { mission }, "assignment_wrong_status")
        .await;
    world
        .refused(second, &AcceptAssignment { assignment: of_second }, "mission_full")
        .await;
    world.refused(second, &JoinMission { mission }, "mission_full").await;
    world.must(first, &submission(mission)).await;
    world.must(&stage.sponsor, &approval(of_first)).await;
    // Once paid it stays taken.
    world
        .refused(first, &JoinMission { mission }, "assignment_wrong_status")
        .await;
    world.refused(second, &JoinMission { mission }, "mission_full").await;
    let creators = vec![id(first)];
    world
        .refused(
            &stage.sponsor,
            &InviteCreators { mission, creators },
            "assignment_wrong_status",
        )
        .await;
    world.audit().await;
}

/// Between a rejection and the next submission somebody else may have taken the place.
#[tokio::test]
async fn rejected_work_has_no_place() {
    let stage = Stage::new().await;
    let (world, first) = (&stage.world, &stage.first);
    let (campaign, mission) = stage.published("100", 1, "100").await;
    let assignment = stage.submitted(mission, first).await;
    world.must(&stage.sponsor, &rejection(assignment)).await;
    world
        .refused(&stage.sponsor, &rejection(assignment), "assignment_wrong_status")
        .await;
    world
        .refused(&stage.sponsor, &approval(assignment), "assignment_wrong_status")
        .await;
    let of_second = stage.accepted(mission, &stage.second).await;
    world.refused(first, &submission(mission), "mission_full").await;
    let reason = None;
    let withdraw = WithdrawAssignment {
        assignment: of_second,
        reason,
    };
    world.must(&stage.second, &withdraw).await;
    world.must(&stage.sponsor, &CloseCampaign { campaign }).await;
    world
        .refused(first, &submission(mission), "campaign_wrong_status")
        .await;
    world.audit().await;
}

#[tokio::test]
async fn places_need_a_call_money_and_time() {
    let stage = Stage::new().await;
    let (world, first) = (&stage.world, &stage.first);
    let (campaign, mission) = stage.published("100", 2, "199.9999").await;
    world.refused(first, &submission(mission), "unknown_assignment").await;
    world.refused(first, &JoinMission { mission }, "not_an_open_call").await;
    stage.accepted(mission, &stage.second).await;
    stage.invite(mission, &[first]).await;
    let accept = AcceptAssignment {
        assignment: AssignmentId::of(mission, id(first)),
    };
    world.refused(first, &accept, "escrow_too_low").await;
    world
        .must(&stage.sponsor, &PauseCampaign { campaign, reason: None })
        .await;
    stage.fund(campaign, "1").await;
    world.refused(first, &accept, "campaign_wrong_status").await;
    stage.publish(campaign).await;
    world.wait(Duration::days(30));
    world.refused(first, &accept, "deadline_passed").await;
    world
        .refused(&stage.second, &submission(mission), "deadline_passed")
        .await;
    let third = world.user(viral_domain::user::Role::Creator).await;
    let creators = vec![id(&third)];
    world
        .refused(&stage.sponsor, &InviteCreators { mission, creators }, "deadline_passed")
        .await;
    world
        .refused(&stage.sponsor, &OpenMission { mission }, "deadline_passed")
        .await;
    world.audit().await;
}

#[tokio::test]
async fn work_fits_the_requirements_and_is_reviewed_once() {
    let stage = Stage::new().await;
    let (world, first, sponsor) = (&stage.world, &stage.first, &stage.sponsor);
    let (_, mission) = stage.published("100", 2, "500").await;
    let assignment = stage.accepted(mission, first).await;
    world
        .refused(sponsor, &approval(assignment), "assignment_wrong_status")
        .await;
    let mut work = submission(mission);
    work.deliverable.stream_id = Some(Uuid::from_u128(1));
    world.refused(first, &work, "invalid_deliverable").await;
    work.deliverable.url = None;
    world.refused(first, &work, "requirements_not_met").await;
    work.deliverable.stream_id = None;
    world.refused(first, &work, "invalid_deliverable").await;
    world.must(first, &submission(mission)).await;
    world
        .refused(first, &submission(mission), "assignment_wrong_status")
        .await;
    let mut wordless = rejection(assignment);
    wordless.verdict = Verdict::Reject { reason: " ".to_owned() };
    world.refused(sponsor, &wordless, "invalid_text").await;
    let decline = DeclineAssignment {
        assignment,
        reason: None,
    };
    world.refused(first, &decline, "assignment_wrong_status").await;
    world.must(sponsor, &approval(assignment)).await;
    world
        .refused(sponsor, &approval(assignment), "assignment_wrong_status")
        .await;
    world
        .refused(sponsor, &rejection(assignment), "assignment_wrong_status")
        .await;
    world
        .refused(first, &submission(mission), "assignment_wrong_status")
        .await;
    let withdraw = WithdrawAssignment {
        assignment,
        reason: None,
    };
    world.refused(first, &withdraw, "assignment_wrong_status").await;
    world.audit().await;
}

#[tokio::test]
async fn workers_are_not_early_and_do_not_take_back_what_is_accepted() {
    let stage = Stage::new().await;
    let world = &stage.world;
    let worker = viral_commands::Caller::system("expiry");
    let (_, mission) = stage.published("100", 1, "100").await;
    let assignment = stage.accepted(mission, &stage.first).await;
    world
        .refused(&worker, &ExpireAssignment { assignment }, "deadline_not_passed")
        .await;
    let cancel = CancelInvitation {
        assignment,
        reason: None,
    };
    world.refused(&worker, &cancel, "assignment_wrong_status").await;
    let hold = world.audit().await.assignment(assignment).hold.unwrap();
    world.refused(&worker, &ExpireHold { hold }, "hold_not_expired").await;
    world.wait(Duration::days(30));
    world.must(&worker, &ExpireAssignment { assignment }).await;
    world
        .refused(&worker, &ExpireAssignment { assignment }, "assignment_wrong_status")
        .await;
    world.audit().await;
}

/// No use case can: this is what the ledger says to whoever reaches past them.
#[tokio::test]
async fn nobody_captures_more_than_the_hold() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published("100", 1, "500").await;
    let assignment = stage.accepted(mission, &stage.first).await;
    let hold = stage.world.audit().await.assignment(assignment).hold.unwrap();
    let posting = Posting {
        debit: effects::escrow(campaign),
        credit: effects::wallet(id(&stage.first)),
        amount: vcoin("100").0.checked_add(Amount::from_minor(1).unwrap()).unwrap(),
        asset: Asset::VCOIN,
    };
    let transaction = NewTransaction {
        code: Code::parse("reward").unwrap(),
        description: None,
        effective_at: None,
        metadata: Default::default(),
        postings: vec![posting],
        reference: None,
    };
    let unit = Unit::ledger(Uuid::from_u128(1), Command::Capture { hold, transaction });
    let error = stage.world.commands.writer().append(unit).await.unwrap_err();
    let refusal = |error| match error {
        AppendError::Rejected(Rejection::Ledger(refusal)) => refusal,
        other => panic!("{other}"),
    };
    assert!(matches!(refusal(error), Refusal::CaptureExceedsHold { .. }));
    stage.world.audit().await;
}
