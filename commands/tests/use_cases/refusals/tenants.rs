//! What belongs to others is as if it were not there: the answer is the same as for an id that nobody has.

use crate::stage::*;
use crate::world::{id, vcoin};
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_commands::{Caller, CommandError, UseCase};
use viral_domain::campaign::BriefEdit;
use viral_domain::{AssignmentId, CampaignId, FlagId, MissionId, PayoutId, UserId};

/// Asks for something of somebody else's and for the same of nobody's: both are refused with the same words.
async fn hidden<U: UseCase>(stage: &Stage, who: &Caller, theirs: Uuid, case: impl Fn(Uuid) -> U) {
    let before = stage.world.head().await;
    let nobodys = Uuid::from_u128(99);
    let mut answers = Vec::new();
    for object in [theirs, nobodys] {
        match stage.world.run(who, &case(object)).await {
            Err(CommandError::NotFound { what, id }) => {
                assert_eq!(id, object.to_string());
                answers.push(what);
            }
            other => panic!("{other:?} for {}", std::any::type_name::<U>()),
        }
    }
    assert_eq!(answers[0], answers[1], "{}", std::any::type_name::<U>());
    assert_eq!(stage.world.head().await, before);
}

#[tokio::test]
async fn campaigns_and_missions_are_their_sponsors() {
    let stage = Stage::new().await;
    let (CampaignId(campaign), MissionId(mission)) = stage.published("100", 2, "500").await;
    for who in [&stage.rival, &stage.first] {
        hidden(&stage, who, campaign, |id| FundCampaign {
            campaign: CampaignId(id),
            amount: vcoin("1"),
        })
        .await;
        hidden(&stage, who, campaign, |id| EditCampaign {
            campaign: CampaignId(id),
            edit: BriefEdit::default(),
        })
        .await;
        hidden(&stage, who, campaign, |id| PublishCampaign {
            campaign: CampaignId(id),
        })
        .await;
        hidden(&stage, who, campaign, |id| PauseCampaign {
            campaign: CampaignId(id),
            reason: None,
        })
        .await;
        hidden(&stage, who, campaign, |id| CloseCampaign {
            campaign: CampaignId(id),
        })
        .await;
        hidden(&stage, who, campaign, |id| stage.new_mission(CampaignId(id), "1", 1)).await;
        hidden(&stage, who, mission, |id| OpenMission { mission: MissionId(id) }).await;
        hidden(&stage, who, mission, |id| CloseMission { mission: MissionId(id) }).await;
        hidden(&stage, who, mission, |mission| InviteCreators {
            mission: MissionId(mission),
            creators: vec![id(&stage.second)],
        })
        .await;
    }
}

#[tokio::test]
async fn assignments_are_their_creators_and_their_sponsors() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published("100", 2, "500").await;
    let AssignmentId(assignment) = stage.submitted(mission, &stage.first).await;
    for who in [&stage.rival, &stage.second, &stage.sponsor] {
        hidden(&stage, who, assignment, |id| AcceptAssignment {
            assignment: AssignmentId(id),
        })
        .await;
        hidden(&stage, who, assignment, |id| DeclineAssignment {
            assignment: AssignmentId(id),
            reason: None,
        })
        .await;
        hidden(&stage, who, assignment, |id| WithdrawAssignment {
            assignment: AssignmentId(id),
            reason: None,
        })
        .await;
    }
    for who in [&stage.rival, &stage.second, &stage.first] {
        hidden(&stage, who, assignment, |id| approval(AssignmentId(id))).await;
        hidden(&stage, who, assignment, |id| rejection(AssignmentId(id))).await;
    }
}

#[tokio::test]
async fn payouts_are_their_creators_and_their_sponsors() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published("100", 2, "500").await;
    stage.earned(mission, &stage.first).await;
    let PayoutId(payout) = stage.requested(campaign, &stage.first, "50").await;
    let digest = stage.world.approval_of(PayoutId(payout)).await.digest;
    for who in [&stage.rival, &stage.second, &stage.first] {
        hidden(&stage, who, payout, |id| ApprovePayout {
            payout: PayoutId(id),
            digest: digest.clone(),
            totp: None,
        })
        .await;
        hidden(&stage, who, payout, |id| RejectPayout {
            payout: PayoutId(id),
            reason: "no".to_owned(),
        })
        .await;
    }
    for who in [&stage.rival, &stage.second, &stage.sponsor] {
        hidden(&stage, who, payout, |id| CancelPayout {
            payout: PayoutId(id),
            reason: None,
        })
        .await;
    }
}

#[tokio::test]
async fn users_are_themselves() {
    let stage = Stage::new().await;
    let profile = Profile {
        bio: String::new(),
        display_name: "Somebody else".to_owned(),
        email: None,
        links: Vec::new(),
    };
    hidden(&stage, &stage.second, id(&stage.first).0, |user| ChangeProfile {
        user: UserId(user),
        profile: profile.clone(),
    })
    .await;
}

/// An admin may touch everything, but what is not there is not there.
#[tokio::test]
async fn nobodys_things_are_not_there_for_admins_either() {
    let stage = Stage::new().await;
    let (world, admin, nobody) = (&stage.world, &stage.admin, Uuid::from_u128(99));
    world
        .refused(
            admin,
            &PublishCampaign {
                campaign: CampaignId(nobody),
            },
            "not_found",
        )
        .await;
    world
        .refused(
            admin,
            &OpenMission {
                mission: MissionId(nobody),
            },
            "not_found",
        )
        .await;
    world.refused(admin, &approval(AssignmentId(nobody)), "not_found").await;
    world.refused(admin, &sending(PayoutId(nobody)), "not_found").await;
    world.refused(admin, &settled(PayoutId(nobody)), "not_found").await;
    let assignment = AssignmentId(nobody);
    world
        .refused(admin, &ExpireAssignment { assignment }, "not_found")
        .await;
    let resolve = ResolveFlag {
        flag: FlagId(nobody),
        resolution: Resolution::Dismiss,
        note: None,
    };
    world.refused(admin, &resolve, "not_found").await;
    let verification = viral_domain::user::Verification::Verified;
    let change = ChangeVerification {
        user: UserId(nobody),
        verification,
    };
    world.refused(admin, &change, "not_found").await;
    world.refused(admin, &ExpireHold { hold: nobody }, "unknown_hold").await;
    let cancel = CancelInvitation {
        assignment,
        reason: None,
    };
    world.refused(admin, &cancel, "unknown_assignment").await;
    // The id of an event that is no mission, or of another kind of thing, is no mission's.
    let user = MissionId(id(&stage.first).0);
    world.refused(admin, &OpenMission { mission: user }, "not_found").await;
    let draft = stage.draft("10").await;
    world
        .refused(
            admin,
            &OpenMission {
                mission: MissionId(draft.0),
            },
            "not_found",
        )
        .await;
}
