//! Payouts that nobody may have, approve or send.

use crate::stage::*;
use crate::world::{id, vcoin};
use viral_commands::use_cases::*;
use viral_commands::{Caller, Scope};
use viral_domain::CampaignId;
use viral_domain::user::Role;

/// The first creator has 1,900 V-Coin.
async fn earning() -> (Stage, CampaignId) {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published("2000", 2, "5000").await;
    stage.earned(mission, &stage.first).await;
    (stage, campaign)
}

#[tokio::test]
async fn nobody_takes_out_more_than_was_earned() {
    let (stage, campaign) = earning().await;
    let (world, first) = (&stage.world, &stage.first);
    let request = |amount| RequestPayout {
        campaign,
        amount: vcoin(amount),
    };
    world.refused(first, &request("0"), "amount_not_positive").await;
    world.refused(first, &request("0.9999"), "payout_too_small").await;
    world
        .refused(first, &request("1900.0001"), "payout_exceeds_earnings")
        .await;
    world
        .refused(&stage.second, &request("1"), "payout_exceeds_earnings")
        .await;
    // What was bought, or earned elsewhere, was not earned here.
    let on_ramp = OnRampFiat {
        user: id(first),
        ..stage.on_ramp("1.00")
    };
    world.must(&stage.admin, &on_ramp).await;
    let (elsewhere, mission) = stage.published("100", 1, "100").await;
    stage.earned(mission, first).await;
    world
        .refused(first, &request("1900.0001"), "payout_exceeds_earnings")
        .await;
    stage.requested(campaign, first, "1000").await;
    world
        .refused(first, &request("900.0001"), "payout_exceeds_earnings")
        .await;
    let rest = stage.sent(campaign, first, "900").await;
    world.must(&stage.admin, &settled(rest)).await;
    world.refused(first, &request("1"), "payout_exceeds_earnings").await;
    stage.requested(elsewhere, first, "95").await;
    world.audit().await;
}

#[tokio::test]
async fn approvals_are_bound_to_people_and_to_what_they_read() {
    let (stage, campaign) = earning().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let payout = stage.requested(campaign, &stage.first, "1500").await;
    let other = stage.requested(campaign, &stage.first, "100").await;
    let approval = stage.world.approval_of(payout).await;
    let wrong = ApprovePayout {
        payout,
        ..stage.world.approval_of(other).await
    };
    world.refused(sponsor, &wrong, "digest_mismatch").await;
    let shouted = ApprovePayout {
        digest: approval.digest.to_uppercase(),
        ..approval.clone()
    };
    world.refused(sponsor, &shouted, "digest_mismatch").await;
    // A user has one role; should a token ever say another one, people still do not approve for themselves.
    let powerful = |user: &Caller, role| Caller {
        role,
        scope: Scope::Any,
        ..user.clone()
    };
    world
        .refused(&powerful(&stage.first, Role::Sponsor), &approval, "own_payout")
        .await;
    world
        .refused(&powerful(&stage.rival, Role::Sponsor), &approval, "not_the_sponsor")
        .await;
    world.must(sponsor, &approval).await;
    world.refused(sponsor, &approval, "payout_wrong_status").await;
    world
        .refused(&powerful(&stage.first, Role::Admin), &approval, "own_payout")
        .await;
    world
        .refused(&powerful(sponsor, Role::Admin), &approval, "same_approver")
        .await;
    world.refused(&stage.admin, &wrong, "digest_mismatch").await;
    world.must(&stage.admin, &approval).await;
    world.refused(&stage.admin, &approval, "payout_wrong_status").await;
    world.audit().await;
}

#[tokio::test]
async fn what_was_sent_is_neither_taken_back_nor_sent_again() {
    let (stage, campaign) = earning().await;
    let (world, admin) = (&stage.world, &stage.admin);
    let code = "payout_wrong_status";
    let payout = stage.requested(campaign, &stage.first, "100").await;
    let (cancel, reject) = (
        CancelPayout { payout, reason: None },
        RejectPayout {
            payout,
            reason: "no".to_owned(),
        },
    );
    let approval = stage.world.approval_of(payout).await;
    for report in [settled(payout), failed(payout, true), unknown(payout)] {
        world.refused(admin, &report, code).await;
    }
    world.refused(admin, &sending(payout), code).await;
    world.must(&stage.sponsor, &approval).await;
    world.must(admin, &sending(payout)).await;
    for lost in [false, true] {
        if lost {
            world.must(admin, &unknown(payout)).await;
            world.refused(admin, &unknown(payout), code).await;
        }
        world.refused(admin, &sending(payout), code).await;
        world.refused(&stage.first, &cancel, code).await;
        world.refused(&stage.sponsor, &reject, code).await;
        world.refused(&stage.sponsor, &approval, code).await;
    }
    world.must(admin, &settled(payout)).await;
    for report in [settled(payout), failed(payout, true), unknown(payout)] {
        world.refused(admin, &report, code).await;
    }
    world.refused(admin, &sending(payout), code).await;
    world.refused(&stage.first, &cancel, code).await;
    world.refused(&stage.sponsor, &reject, code).await;
    world.audit().await;
}

#[tokio::test]
async fn a_rejection_says_why_and_a_provider_has_a_name() {
    let (stage, campaign) = earning().await;
    let payout = stage.approved(campaign, &stage.first, "100").await;
    let reason = String::new();
    let (reject, mut send) = (RejectPayout { payout, reason }, sending(payout));
    stage.world.refused(&stage.sponsor, &reject, "invalid_text").await;
    send.provider = "x".repeat(65);
    stage.world.refused(&stage.admin, &send, "invalid_text").await;
}
