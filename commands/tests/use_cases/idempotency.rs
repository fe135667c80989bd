//! A request happens once, however often it is asked, by whichever process, and whatever has happened meanwhile.

use crate::diary::Diary;
use crate::stage::*;
use crate::world::{World, code_of, id, vcoin};
use chrono::Duration;
use std::collections::BTreeSet;
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_commands::{Caller, Environment, Unit};
use viral_domain::campaign::BriefEdit;
use viral_domain::fraud_flag::SourceType;
use viral_domain::user::{Role, Verification};
use viral_domain::{AssignmentId, CampaignId, FlagId, MissionId, PayoutId, Terms, UserId};
use viral_ledger::{Address, Amount, Asset, Command, NormalSide};

/// Every use case is in the story, so that none can be added without asking what happens when it is repeated.
#[tokio::test]
async fn every_use_case_happens_once() {
    let stage = Stage::new().await;
    let mut diary = Diary::default();
    let users = register(&stage, &mut diary).await;
    let (campaign, mission) = draft(&stage, &mut diary).await;
    let assignment = work(&stage, &mut diary, mission, &users).await;
    payouts(&stage, &mut diary, campaign).await;
    end(&stage, &mut diary, campaign, assignment).await;
    expired_hold(&stage, &mut diary).await;

    assert_eq!(
        diary.names(),
        all_use_cases().iter().map(String::as_str).collect::<Vec<_>>()
    );
    diary.repeat(&stage.world).await;
    // Another process knows nothing but the log.
    let other = stage.world.another(Terms::default(), Environment::Production).await;
    diary.repeat(&other).await;
}

/// The names that the module exports, read from its source.
fn all_use_cases() -> BTreeSet<String> {
    let source = include_str!("../../src/use_cases/mod.rs");
    let exported = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub use ")?.split_once("::"));
    let names = exported.flat_map(|(_, names)| names.trim_matches(['{', '}', ';']).split(','));
    let names = names.map(|name| name.trim().trim_end_matches(['}', ';']).to_owned());
    names
        .filter(|name| !["Profile", "PayoutOutcome", "Resolution", "Verdict"].contains(&name.as_str()))
        .collect()
}

async fn register(stage: &Stage, diary: &mut Diary) -> Vec<Caller> {
    let world = &stage.world;
    let mut users = Vec::new();
    for name in ["third", "fourth", "fifth"] {
        let profile = Profile {
            bio: "Films.".to_owned(),
            display_name: name.to_owned(),
            email: Some(format!("{name}@example.com")),
            links: Vec::new(),
        };
        let role = Role::Creator;
        let register = RegisterUser { role, profile };
        let user = diary.write(world, &Caller::system("registrar"), register.clone()).await;
        let who = crate::world::caller(user, role);
        let change = ChangeProfile {
            user: UserId(user),
            profile: register.profile,
        };
        diary.write(world, &who, change).await;
        users.push(who);
    }
    let verification = Verification::Verified;
    let user = id(&users[0]);
    diary
        .write(world, &stage.admin, ChangeVerification { user, verification })
        .await;
    users
}

async fn draft(stage: &Stage, diary: &mut Diary) -> (CampaignId, MissionId) {
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    diary.write(world, &stage.admin, stage.on_ramp("100.00")).await;
    let brief = stage.brief("5000");
    let campaign = CampaignId(diary.write(world, sponsor, CreateCampaign { brief }).await);
    let edit = BriefEdit {
        title: Some("Another title".to_owned()),
        ..BriefEdit::default()
    };
    diary.write(world, sponsor, EditCampaign { campaign, edit }).await;
    let mission = MissionId(diary.write(world, sponsor, stage.new_mission(campaign, "100", 3)).await);
    diary.write(world, sponsor, PublishCampaign { campaign }).await;
    diary
        .write(world, sponsor, PauseCampaign { campaign, reason: None })
        .await;
    diary.write(world, sponsor, PublishCampaign { campaign }).await;
    let amount = vcoin("2500");
    // Twice the same amount under two keys is two fundings.
    diary.write(world, sponsor, FundCampaign { campaign, amount }).await;
    diary.write(world, sponsor, FundCampaign { campaign, amount }).await;
    (campaign, mission)
}

/// The first creator is paid, the last of the others leaves an invitation open. Answers an assignment that will expire.
async fn work(stage: &Stage, diary: &mut Diary, mission: MissionId, users: &[Caller]) -> AssignmentId {
    let (world, sponsor, first) = (&stage.world, &stage.sponsor, &stage.first);
    let of = |who: &Caller| AssignmentId::of(mission, id(who));
    let creators = users.iter().chain([first]).map(id).collect();
    diary.write(world, sponsor, InviteCreators { mission, creators }).await;
    diary
        .write(world, first, AcceptAssignment { assignment: of(first) })
        .await;
    diary.write(world, first, submission(mission)).await;
    diary.write(world, sponsor, rejection(of(first))).await;
    diary.write(world, first, submission(mission)).await;
    diary.write(world, sponsor, approval(of(first))).await;
    let (assignment, reason) = (of(&users[0]), None);
    diary
        .write(
            world,
            &users[0],
            DeclineAssignment {
                assignment,
                reason: None,
            },
        )
        .await;
    diary.write(world, sponsor, OpenMission { mission }).await;
    diary.write(world, &users[0], JoinMission { mission }).await;
    diary
        .write(world, &users[0], WithdrawAssignment { assignment, reason })
        .await;
    diary.write(world, &users[1], JoinMission { mission }).await;
    diary.write(world, sponsor, CloseMission { mission }).await;
    let (assignment, reason) = (of(&users[2]), None);
    let worker = Caller::system("expiry");
    diary
        .write(world, &worker, CancelInvitation { assignment, reason })
        .await;
    of(&users[1])
}

async fn payouts(stage: &Stage, diary: &mut Diary, campaign: CampaignId) {
    let (world, sponsor, first, admin) = (&stage.world, &stage.sponsor, &stage.first, &stage.admin);
    let amount = vcoin("20");
    let request = RequestPayout { campaign, amount };
    let mut payouts = Vec::new();
    for _ in 0..3 {
        payouts.push(PayoutId(diary.write(world, first, request.clone()).await));
    }
    let raise = RaiseFlag {
        source_type: SourceType::Campaign,
        source_id: campaign.0,
        score: 50,
        reasons: vec!["odd".to_owned()],
    };
    let flag = FlagId(diary.write(world, admin, raise).await);
    let (resolution, note) = (Resolution::Dismiss, None);
    diary.write(world, admin, ResolveFlag { flag, resolution, note }).await;
    let payout = payouts[0];
    diary.write(world, sponsor, stage.world.approval_of(payout).await).await;
    diary.write(world, admin, sending(payout)).await;
    diary.write(world, admin, failed(payout, false)).await;
    diary.write(world, admin, sending(payout)).await;
    diary.write(world, admin, unknown(payout)).await;
    diary.write(world, admin, settled(payout)).await;
    let (payout, reason) = (payouts[1], "no".to_owned());
    diary.write(world, sponsor, RejectPayout { payout, reason }).await;
    let (payout, reason) = (payouts[2], None);
    diary.write(world, first, CancelPayout { payout, reason }).await;
}

async fn end(stage: &Stage, diary: &mut Diary, campaign: CampaignId, assignment: AssignmentId) {
    diary
        .write(&stage.world, &stage.sponsor, CloseCampaign { campaign })
        .await;
    stage.world.wait(Duration::days(31));
    let worker = Caller::system("expiry");
    diary
        .write(&stage.world, &worker, ExpireAssignment { assignment })
        .await;
    let replay = stage.world.audit().await;
    assert_eq!(replay.campaign(campaign).status, viral_domain::campaign::Status::Closed);
}

/// Holds of the domain do not expire; those that somebody placed in the ledger may.
async fn expired_hold(stage: &Stage, diary: &mut Diary) {
    let (world, hold) = (&stage.world, Uuid::from_u128(5));
    let account = Address::parse("desk:reserve").unwrap();
    let open = Command::OpenAccount {
        account: account.clone(),
        asset: Asset::VCOIN,
        normal_side: NormalSide::Credit,
        may_go_negative: true,
    };
    let place = Command::PlaceHold {
        account,
        amount: Amount::from_minor(1).unwrap(),
        asset: Asset::VCOIN,
        expires_at: Some(world.now() + Duration::days(1)),
        reference: None,
    };
    for (id, command) in [(Uuid::from_u128(4), open), (hold, place)] {
        world.commands.writer().append(Unit::ledger(id, command)).await.unwrap();
    }
    world.wait(Duration::days(1));
    diary.write(world, &Caller::system("expiry"), ExpireHold { hold }).await;
}

#[tokio::test]
async fn the_key_of_a_refused_call_is_free() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let campaign = stage.draft("1000").await;
    let (request, amount) = (world.keyed("once", "{}"), vcoin("500"));
    let fund = FundCampaign { campaign, amount };
    let refused = world.commands.run(sponsor, &request, &fund).await.unwrap_err();
    assert_eq!(code_of(&refused), "insufficient_funds");
    stage.buys("5.00").await;
    // Nothing was written under the key, so not even the body must be the same.
    let changed = world.keyed("once", r#"{"changed":true}"#);
    let done = world.commands.run(sponsor, &changed, &fund).await.unwrap();
    assert!(!done.is_duplicate());
    let refused = world.commands.run(sponsor, &request, &fund).await.unwrap_err();
    assert_eq!(code_of(&refused), "key_reused");
    world.audit().await;
}

/// Who asks is part of the key: the caller's side makes it so, and the unit's id shows it.
#[tokio::test]
async fn two_users_may_choose_the_same_key() {
    let identity = |who: &str| viral_commands::RequestIdentity::new(who, "key", "POST", "/", "{}");
    assert_ne!(identity("a").unit_id, identity("b").unit_id);
    assert_eq!(identity("a").request_hash, identity("b").request_hash);
}

/// What follows from an event happens once, though two workers see it.
#[tokio::test]
async fn a_consequence_happens_once() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published("100", 1, "100").await;
    let assignment = stage.accepted(mission, &stage.first).await;
    stage.world.wait(Duration::days(31));
    let request = viral_commands::Request::consequence("expiry", &[assignment.0.as_bytes()], None);
    let expire = ExpireAssignment { assignment };
    let worker = Caller::system("expiry");
    let other = stage.world.another(Terms::default(), Environment::Production).await;
    let run = async |world: &World| world.commands.run(&worker, &request, &expire).await.unwrap();
    let first = run(&stage.world).await;
    let second = run(&other).await;
    assert!(!first.is_duplicate() && second.is_duplicate());
    assert_eq!(first.events(), second.events());
}
