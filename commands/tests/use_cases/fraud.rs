//! Suspicions hold payouts in the unit that raises them, those that come later as well, until they are dismissed.

use crate::stage::*;
use crate::world::{id, vcoin};
use uuid::Uuid;
use viral_commands::Caller;
use viral_commands::use_cases::*;
use viral_domain::fraud_flag::{SourceType, Status as FlagStatus};
use viral_domain::payout::Status;
use viral_domain::{AssignmentId, CampaignId, FlagId, PayoutId};
use viral_store::StoredEvent;

fn flag(source_type: SourceType, source_id: Uuid) -> RaiseFlag {
    RaiseFlag {
        source_type,
        source_id,
        score: 80,
        reasons: vec!["the views are not real".to_owned()],
    }
}

fn resolve(flag: FlagId, resolution: Resolution) -> ResolveFlag {
    let note = Some("looked into".to_owned());
    ResolveFlag { flag, resolution, note }
}

/// Two creators who both earned in one campaign, and the first one in another one as well.
struct Fraud {
    stage: Stage,
    campaign: CampaignId,
    elsewhere: CampaignId,
    assignment: AssignmentId,
    /// The first creator's, the second's, and the first's elsewhere.
    payouts: [PayoutId; 3],
}

impl Fraud {
    async fn new() -> Fraud {
        let stage = Stage::new().await;
        let (campaign, mission) = stage.published("100", 2, "200").await;
        let (elsewhere, other) = stage.published("100", 1, "100").await;
        let assignment = stage.earned(mission, &stage.first).await;
        stage.earned(mission, &stage.second).await;
        stage.earned(other, &stage.first).await;
        let payouts = [
            stage.requested(campaign, &stage.first, "50").await,
            stage.requested(campaign, &stage.second, "50").await,
            stage.requested(elsewhere, &stage.first, "50").await,
        ];
        Fraud {
            stage,
            campaign,
            elsewhere,
            assignment,
            payouts,
        }
    }

    async fn raise(&self, raise: RaiseFlag) -> (FlagId, Vec<StoredEvent>) {
        let events = self.stage.world.must(&self.stage.admin, &raise).await;
        (FlagId(events[0].event_id), events)
    }

    /// Which of the payouts are held.
    async fn held(&self) -> [bool; 3] {
        let replay = self.stage.world.audit().await;
        self.payouts.map(|payout| !replay.payout(payout).holds.is_empty())
    }

    /// Whether payouts that are requested now are held: the first creator's, the second's, the first's elsewhere.
    async fn later(&self) -> [bool; 3] {
        let (first, second) = (&self.stage.first, &self.stage.second);
        let mut held = [false; 3];
        let who: [(CampaignId, &Caller); 3] =
            [(self.campaign, first), (self.campaign, second), (self.elsewhere, first)];
        for (held, (campaign, creator)) in held.iter_mut().zip(who) {
            let payout = self.stage.requested(campaign, creator, "1").await;
            *held = !self.stage.world.audit().await.payout(payout).holds.is_empty();
            let cancel = CancelPayout { payout, reason: None };
            self.stage.world.must(creator, &cancel).await;
        }
        held
    }
}

/// What a suspicion holds at once, and what it holds later: a payout's own only that payout.
#[tokio::test]
async fn a_flag_holds_what_it_concerns_until_it_is_dismissed() {
    let table = [
        (SourceType::User, [true, false, true], [true, false, true]),
        (SourceType::Campaign, [true, true, false], [true, true, false]),
        (SourceType::Assignment, [true, false, false], [true, false, false]),
        (SourceType::Payout, [true, false, false], [false, false, false]),
    ];
    for (source, now, later) in table {
        let fraud = Fraud::new().await;
        let source_id = match source {
            SourceType::User => id(&fraud.stage.first).0,
            SourceType::Campaign => fraud.campaign.0,
            SourceType::Assignment => fraud.assignment.0,
            SourceType::Payout => fraud.payouts[0].0,
        };
        let (raised, events) = fraud.raise(flag(source, source_id)).await;
        // All of it in one unit.
        let holds = events.iter().filter(|event| event.event_type == "payout.held").count();
        assert_eq!(holds, now.iter().filter(|held| **held).count(), "{source:?}");
        assert_eq!(fraud.held().await, now, "{source:?}");
        assert_eq!(fraud.later().await, later, "{source:?}");

        let admin = &fraud.stage.admin;
        let events = fraud
            .stage
            .world
            .must(admin, &resolve(raised, Resolution::Dismiss))
            .await;
        let released = events
            .iter()
            .filter(|event| event.event_type == "payout.released")
            .count();
        assert_eq!(released, holds, "{source:?}");
        assert_eq!(fraud.held().await, [false; 3], "{source:?}");
        assert_eq!(fraud.later().await, [false; 3], "{source:?}");
        let replay = fraud.stage.world.audit().await;
        assert_eq!(replay.flags[&raised].status, FlagStatus::Dismissed);
    }
}

#[tokio::test]
async fn a_confirmed_flag_goes_on_holding() {
    let fraud = Fraud::new().await;
    let (raised, _) = fraud.raise(flag(SourceType::User, id(&fraud.stage.first).0)).await;
    let (world, admin) = (&fraud.stage.world, &fraud.stage.admin);
    world.must(admin, &resolve(raised, Resolution::Confirm)).await;
    assert_eq!(fraud.held().await, [true, false, true]);
    assert_eq!(fraud.later().await, [true, false, true]);
    for resolution in [Resolution::Confirm, Resolution::Dismiss] {
        world
            .refused(admin, &resolve(raised, resolution), "flag_wrong_status")
            .await;
    }
}

#[tokio::test]
async fn a_payout_is_free_when_the_last_flag_is_gone() {
    let fraud = Fraud::new().await;
    let (world, admin, sponsor) = (&fraud.stage.world, &fraud.stage.admin, &fraud.stage.sponsor);
    let payout = fraud.payouts[0];
    let approval = fraud.stage.world.approval_of(payout).await;
    let (of_user, _) = fraud.raise(flag(SourceType::User, id(&fraud.stage.first).0)).await;
    let (of_payout, _) = fraud.raise(flag(SourceType::Payout, payout.0)).await;
    let (of_campaign, _) = fraud.raise(flag(SourceType::Campaign, fraud.campaign.0)).await;
    assert_eq!(world.audit().await.payout(payout).holds.len(), 3);
    for flag in [of_payout, of_user, of_campaign] {
        world.refused(sponsor, &approval, "payout_held").await;
        world.must(admin, &resolve(flag, Resolution::Dismiss)).await;
    }
    world.must(sponsor, &approval).await;
    assert_eq!(fraud.held().await, [false; 3]);
}

/// What is held is not approved, not by an admin either, and not sent. It can be rejected and cancelled.
#[tokio::test]
async fn what_is_held_can_only_end() {
    let stage = Stage::new().await;
    let (world, admin) = (&stage.world, &stage.admin);
    let (campaign, mission) = stage.published("4000", 1, "4000").await;
    stage.earned(mission, &stage.first).await;
    let first = &stage.first;
    let requested = stage.requested(campaign, first, "100").await;
    let large = stage.requested(campaign, first, "2000").await;
    let large_approval = stage.world.approval_of(large).await;
    world.must(&stage.sponsor, &large_approval).await;
    let approved = stage.approved(campaign, first, "100").await;
    let sent = stage.sent(campaign, first, "100").await;
    world.must(admin, &flag(SourceType::User, id(first).0)).await;

    let approval = stage.world.approval_of(requested).await;
    world.refused(&stage.sponsor, &approval, "payout_held").await;
    world.refused(admin, &large_approval, "payout_held").await;
    world.refused(admin, &sending(approved), "payout_held").await;
    // What was sent before is not called back, but not sent again either.
    world.must(admin, &failed(sent, false)).await;
    world.refused(admin, &sending(sent), "payout_held").await;

    let reject = |payout| RejectPayout {
        payout,
        reason: "fraud".to_owned(),
    };
    world.must(admin, &reject(large)).await;
    world.must(&stage.sponsor, &reject(approved)).await;
    for payout in [requested, sent] {
        let reason = None;
        world.must(first, &CancelPayout { payout, reason }).await;
    }
    let replay = world.audit().await;
    assert_eq!(replay.payout(large).status, Status::Rejected);
    assert_eq!(replay.payout(sent).status, Status::Cancelled);
    assert_eq!(replay.campaign(campaign).payable(id(first)), vcoin("3800"));
}

/// Payouts that ended are neither held nor released.
#[tokio::test]
async fn what_is_over_is_left_alone() {
    let fraud = Fraud::new().await;
    let (world, admin) = (&fraud.stage.world, &fraud.stage.admin);
    let payout = fraud.payouts[0];
    let (before, _) = fraud.raise(flag(SourceType::Payout, payout.0)).await;
    world
        .must(&fraud.stage.first, &CancelPayout { payout, reason: None })
        .await;
    let (after, events) = fraud.raise(flag(SourceType::Payout, payout.0)).await;
    assert_eq!(types(&events), ["fraud_flag.raised"]);
    for flag in [before, after] {
        let events = world.must(admin, &resolve(flag, Resolution::Dismiss)).await;
        assert_eq!(types(&events), ["fraud_flag.dismissed"]);
    }
    world.audit().await;
}

#[tokio::test]
async fn flags_are_about_something_for_reasons() {
    let fraud = Fraud::new().await;
    let (world, admin) = (&fraud.stage.world, &fraud.stage.admin);
    for source in [
        SourceType::User,
        SourceType::Campaign,
        SourceType::Assignment,
        SourceType::Payout,
    ] {
        // The id of another kind of thing is no id of this kind.
        for nothing in [Uuid::from_u128(99), id(admin).0] {
            if (source, nothing) != (SourceType::User, id(admin).0) {
                world.refused(admin, &flag(source, nothing), "unknown_source").await;
            }
        }
    }
    let good = flag(SourceType::Campaign, fraud.campaign.0);
    let bad = RaiseFlag {
        score: 101,
        ..good.clone()
    };
    world.refused(admin, &bad, "invalid_score").await;
    let bad = RaiseFlag {
        reasons: Vec::new(),
        ..good.clone()
    };
    world.refused(admin, &bad, "invalid_reasons").await;
    let bad = RaiseFlag {
        reasons: vec!["\u{7}".to_owned()],
        ..good
    };
    world.refused(admin, &bad, "invalid_text").await;
}
