//! Whatever was loaded for a unit must not have moved when it is appended: otherwise it is planned again. [`World::run`]
//! sees to it that every stream that any use case of these tests reads is checked under the lock.

use crate::spy::Spy;
use crate::stage::Stage;
use crate::world::{World, code_of, id, vcoin};
use viral_commands::use_cases::*;
use viral_commands::{Caller, Environment, UseCase};
use viral_domain::Terms;
use viral_domain::fraud_flag::SourceType;
use viral_domain::user::Verification;

struct Guarded {
    stage: Stage,
    /// Another process.
    other: World,
}

impl Guarded {
    async fn new() -> Guarded {
        let stage = Stage::new().await;
        let other = stage.world.another(Terms::default(), Environment::Development).await;
        Guarded { stage, other }
    }

    fn spy(&self) -> &Spy {
        &self.other.spy
    }

    /// The verification of a user changes just before the head is locked for the n-th time.
    fn verified_before_lock(&self, nth: usize, user: &Caller) {
        let (world, admin, user) = (self.stage.world.clone(), self.stage.admin.clone(), id(user));
        self.spy().before_lock(nth, async move {
            let verification = Verification::Verified;
            world.must(&admin, &ChangeVerification { user, verification }).await;
        });
    }

    /// Carried out in the second attempt.
    async fn planned_again(&self, who: &Caller, case: &impl UseCase, locks: usize) {
        let request = self.stage.world.request();
        self.other.commands.run(who, &request, case).await.unwrap();
        assert!(self.spy().is_done(), "nothing happened in between");
        assert_eq!(self.spy().locks(), locks);
    }
}

#[tokio::test]
async fn a_use_case_whose_caller_moves_is_planned_again() {
    let guarded = Guarded::new().await;
    let (stage, creator) = (&guarded.stage, &guarded.stage.first);
    let (_, mission) = stage.published("100", 2, "1000").await;
    stage.world.must(&stage.sponsor, &OpenMission { mission }).await;

    guarded.verified_before_lock(1, creator);
    guarded.planned_again(creator, &JoinMission { mission }, 2).await;
    guarded.verified_before_lock(1, &stage.rival);
    let brief = stage.brief("10");
    guarded.planned_again(&stage.rival, &CreateCampaign { brief }, 2).await;
    // The first lock opens the platform's accounts.
    guarded.verified_before_lock(2, &stage.sponsor);
    guarded.planned_again(&stage.admin, &stage.on_ramp("1.00"), 3).await;
}

#[tokio::test]
async fn a_payout_whose_creator_moves_is_planned_again() {
    let guarded = Guarded::new().await;
    let (stage, creator) = (&guarded.stage, &guarded.stage.first);
    let (campaign, mission) = stage.published("100", 1, "1000").await;
    stage.earned(mission, creator).await;
    guarded.verified_before_lock(1, creator);
    let amount = vcoin("1");
    guarded
        .planned_again(creator, &RequestPayout { campaign, amount }, 2)
        .await;
}

/// The approver saw a payout that nobody suspected. When the approval is appended somebody does.
#[tokio::test]
async fn a_payout_that_is_held_meanwhile_is_not_approved() {
    let guarded = Guarded::new().await;
    let stage = &guarded.stage;
    let (campaign, mission) = stage.published("100", 1, "1000").await;
    stage.earned(mission, &stage.first).await;
    let payout = stage.requested(campaign, &stage.first, "1").await;
    let approval = stage.world.approval_of(payout).await;
    let (world, admin) = (stage.world.clone(), stage.admin.clone());
    guarded.spy().before_lock(1, async move {
        let flag = RaiseFlag {
            source_type: SourceType::Payout,
            source_id: payout.0,
            score: 90,
            reasons: vec!["the same link twice".to_owned()],
        };
        world.must(&admin, &flag).await;
    });
    let (other, request) = (&guarded.other.commands, stage.world.request());
    let error = other.run(&stage.sponsor, &request, &approval).await.unwrap_err();
    assert_eq!(code_of(&error), "payout_held", "{error}");
    assert!(guarded.spy().is_done());
}
