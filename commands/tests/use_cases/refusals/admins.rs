//! What only admins and the platform itself do is refused to everybody else, whatever the API lets through.

use crate::stage::*;
use crate::world::id;
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_commands::{Caller, Scope, UseCase};
use viral_domain::fraud_flag::SourceType;
use viral_domain::user::{Role, Verification};
use viral_domain::{AssignmentId, FlagId};

/// Refused to sponsors, creators and to admins of nothing but their own.
async fn only_for_admins(stage: &Stage, case: impl UseCase) {
    let with = |who: &Caller, role, scope| Caller {
        role,
        scope,
        ..who.clone()
    };
    for who in [
        stage.sponsor.clone(),
        stage.first.clone(),
        with(&stage.sponsor, Role::Sponsor, Scope::Any),
        with(&stage.first, Role::Compliance, Scope::Any),
        with(&stage.admin, Role::Admin, Scope::Own),
    ] {
        stage.world.refused(&who, &case, "forbidden").await;
    }
}

#[tokio::test]
async fn what_admins_do_nobody_else_does() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published("100", 3, "300").await;
    stage.earned(mission, &stage.first).await;
    stage.invite(mission, &[&stage.second]).await;
    let assignment = AssignmentId::of(mission, id(&stage.second));
    let approved = stage.approved(campaign, &stage.first, "10").await;
    let sent = stage.sent(campaign, &stage.first, "10").await;

    only_for_admins(&stage, sending(approved)).await;
    for report in [settled(sent), failed(sent, true), failed(sent, false), unknown(sent)] {
        only_for_admins(&stage, report).await;
    }
    let reason = None;
    only_for_admins(&stage, CancelInvitation { assignment, reason }).await;
    let (user, verification) = (id(&stage.first), Verification::Verified);
    only_for_admins(&stage, ChangeVerification { user, verification }).await;
    let raise = RaiseFlag {
        source_type: SourceType::Payout,
        source_id: approved.0,
        score: 1,
        reasons: vec!["odd".to_owned()],
    };
    only_for_admins(&stage, raise.clone()).await;
    let flag = FlagId(stage.world.made(&stage.admin, &raise).await);
    let (resolution, note) = (Resolution::Dismiss, None);
    only_for_admins(&stage, ResolveFlag { flag, resolution, note }).await;
    let profile = Profile {
        bio: String::new(),
        display_name: "a".to_owned(),
        email: None,
        links: Vec::new(),
    };
    let role = Role::Admin;
    only_for_admins(&stage, RegisterUser { role, profile }).await;
    let hold = Uuid::from_u128(1);
    only_for_admins(&stage, ExpireHold { hold }).await;
    stage.world.wait(chrono::Duration::days(31));
    only_for_admins(&stage, ExpireAssignment { assignment }).await;
    let worker = Caller::system("expiry");
    stage.world.must(&worker, &ExpireAssignment { assignment }).await;
}
