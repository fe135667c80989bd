//! Payouts, from the request to money at a bank or back in the wallet.

use crate::stage::*;
use crate::world::{id, vcoin};
use viral_commands::use_cases::*;
use viral_domain::effects::{backing, clearing, issuance, pending, wallet};
use viral_domain::payout::Status as Paid;
use viral_domain::{CampaignId, Terms};

/// A creator with so much earned, less the fee.
async fn earning(reward: &str) -> (Stage, CampaignId) {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(reward, 1, reward).await;
    stage.earned(mission, &stage.first).await;
    (stage, campaign)
}

#[tokio::test]
async fn a_payout_is_requested_approved_sent_and_settled() {
    let (stage, campaign) = earning("100").await;
    let (world, fiat) = (&stage.world, Terms::default().fiat);
    let payout = stage.requested(campaign, &stage.first, "80").await;
    let accounts = || [wallet(id(&stage.first)), pending(payout), issuance()];
    assert_eq!(world.balances(accounts()).await, ["15", "80", "20000"]);
    let approval = stage.world.approval_of(payout).await;
    let events = world.must(&stage.sponsor, &approval).await;
    assert_eq!(types(&events), ["payout.sponsor_approved", "payout.approved"]);
    world.must(&stage.admin, &sending(payout)).await;
    assert_eq!(world.balances(accounts()).await, ["15", "80", "20000"]);
    world.must(&stage.admin, &settled(payout)).await;
    assert_eq!(world.balances(accounts()).await, ["15", "0", "19920"]);
    assert_eq!(world.balance(backing(fiat)).await, "199.20");
    assert_eq!(world.balance(clearing(fiat)).await, "199.20");
    let replay = world.audit().await;
    assert_eq!(replay.payout(payout).status, Paid::Settled);
    assert_eq!(replay.campaign(campaign).payable(id(&stage.first)), vcoin("15"));
}

#[tokio::test]
async fn above_the_limit_an_admin_approves_too() {
    let (stage, campaign) = earning("2000").await;
    let world = &stage.world;
    let payout = stage.requested(campaign, &stage.first, "1000.0001").await;
    let approval = stage.world.approval_of(payout).await;
    world.refused(&stage.admin, &approval, "payout_wrong_status").await;
    let events = world.must(&stage.sponsor, &approval).await;
    assert_eq!(types(&events), ["payout.sponsor_approved"]);
    world
        .refused(&stage.admin, &sending(payout), "payout_wrong_status")
        .await;
    world.must(&stage.admin, &approval).await;
    world.must(&stage.admin, &sending(payout)).await;
    world.must(&stage.admin, &settled(payout)).await;
    // At the limit the sponsor is enough.
    let at_limit = Stage::new().await;
    let (campaign, mission) = at_limit.published("2000", 1, "2000").await;
    at_limit.earned(mission, &at_limit.first).await;
    let payout = at_limit.approved(campaign, &at_limit.first, "1000").await;
    assert_eq!(at_limit.world.audit().await.payout(payout).status, Paid::Approved);
    world.audit().await;
}

#[tokio::test]
async fn attempts_fail_vanish_and_fail_for_good() {
    let (stage, campaign) = earning("100").await;
    let world = &stage.world;
    let payout = stage.sent(campaign, &stage.first, "95").await;
    let accounts = || [wallet(id(&stage.first)), pending(payout)];
    world.must(&stage.admin, &failed(payout, false)).await;
    assert_eq!(world.balances(accounts()).await, ["0", "95"]);
    world.must(&stage.admin, &sending(payout)).await;
    world.must(&stage.admin, &unknown(payout)).await;
    world
        .refused(&stage.admin, &sending(payout), "payout_wrong_status")
        .await;
    world.must(&stage.admin, &failed(payout, false)).await;
    world.must(&stage.admin, &sending(payout)).await;
    let events = world.must(&stage.admin, &failed(payout, false)).await;
    assert_eq!(
        types(&events)[..2],
        ["payout.attempt_failed", "payout.failed"],
        "three attempts"
    );
    assert_eq!(world.balances(accounts()).await, ["95", "0"]);

    let again = stage.sent(campaign, &stage.first, "95").await;
    world.must(&stage.admin, &failed(again, true)).await;
    assert_eq!(world.balances(accounts()).await, ["95", "0"]);
    let third = stage.sent(campaign, &stage.first, "95").await;
    world.must(&stage.admin, &unknown(third)).await;
    world.must(&stage.admin, &settled(third)).await;
    let replay = world.audit().await;
    let statuses = [payout, again, third].map(|payout| replay.payout(payout).status);
    assert_eq!(statuses, [Paid::Failed, Paid::Failed, Paid::Settled]);
}

/// Whoever reports a failure twice, to be sure, must not fail the attempt that followed: it may be paying just now.
#[tokio::test]
async fn what_is_said_of_one_attempt_does_not_count_for_the_next() {
    let (stage, campaign) = earning("100").await;
    let (world, admin) = (&stage.world, &stage.admin);
    let payout = stage.sent(campaign, &stage.first, "95").await;
    let of_first = [failed(payout, false), settled(payout), unknown(payout)].map(|report| ReportPayoutOutcome {
        attempt: Some(1),
        ..report
    });
    world.must(admin, &of_first[0]).await;
    world.must(admin, &sending(payout)).await;
    for report in &of_first {
        world.refused(admin, report, "payout_wrong_status").await;
    }
    let of_second = ReportPayoutOutcome {
        attempt: Some(2),
        ..settled(payout)
    };
    world.must(admin, &of_second).await;
    assert_eq!(world.audit().await.payout(payout).status, Paid::Settled);
}

#[tokio::test]
async fn payouts_are_rejected_and_cancelled_before_they_are_sent() {
    let (stage, campaign) = earning("100").await;
    let world = &stage.world;
    for (by_admin, approve) in [(true, false), (false, true)] {
        let payout = match approve {
            true => stage.approved(campaign, &stage.first, "95").await,
            false => stage.requested(campaign, &stage.first, "95").await,
        };
        let reason = "not agreed".to_owned();
        let who = if by_admin { &stage.admin } else { &stage.sponsor };
        world.must(who, &RejectPayout { payout, reason }).await;
        assert_eq!(
            world.balances([wallet(id(&stage.first)), pending(payout)]).await,
            ["95", "0"]
        );
    }
    let payout = stage.approved(campaign, &stage.first, "95").await;
    world.must(&stage.first, &CancelPayout { payout, reason: None }).await;
    assert_eq!(
        world.balances([wallet(id(&stage.first)), pending(payout)]).await,
        ["95", "0"]
    );
    assert_eq!(world.audit().await.payout(payout).status, Paid::Cancelled);
}
