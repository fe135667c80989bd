//! Whole journeys, with every balance after every step that moves money.

use crate::stage::*;
use crate::world::{World, id, vcoin};
use chrono::Duration;
use viral_commands::use_cases::*;
use viral_domain::assignment::Status as Work;
use viral_domain::campaign::{BriefEdit, CampaignCommand, Status};
use viral_domain::effects::{backing, clearing, escrow, fees, issuance, wallet};
use viral_domain::payout::Status as Paid;
use viral_domain::user::{Role, Verification};
use viral_domain::{Aggregate as _, AssignmentId, Terms};

#[tokio::test]
async fn a_purchase_issues_v_coin_against_fiat_money() {
    let stage = Stage::new().await;
    stage.buys("50.00").await;
    stage.buys("0.01").await;
    let fiat = Terms::default().fiat;
    let balances = stage
        .world
        .balances([wallet(id(&stage.sponsor)), issuance(), fees()])
        .await;
    assert_eq!(balances, ["5001", "5001", "0"]);
    assert_eq!(stage.world.balance(backing(fiat)).await, "50.01");
    assert_eq!(stage.world.balance(clearing(fiat)).await, "50.01");
    stage.world.audit().await;
}

#[tokio::test]
async fn a_campaign_is_written_funded_and_published() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    stage.buys("50.00").await;
    let campaign = stage.draft("2000").await;
    let edit = BriefEdit {
        title: Some("Another title".to_owned()),
        budget_vcoin: Some(vcoin("3000")),
        ..BriefEdit::default()
    };
    world.must(sponsor, &EditCampaign { campaign, edit }).await;
    stage.mission(campaign, "100", 1).await;
    let accounts = || [wallet(id(sponsor)), escrow(campaign)];
    assert_eq!(world.balances(accounts()).await, ["5000", "0"]);
    stage.fund(campaign, "1000.5").await;
    assert_eq!(world.balances(accounts()).await, ["3999.5000", "1000.5000"]);
    stage.publish(campaign).await;
    let reason = Some("a pause".to_owned());
    world.must(sponsor, &PauseCampaign { campaign, reason }).await;
    stage.fund(campaign, "1999.5").await;
    assert_eq!(world.balances(accounts()).await, ["2000", "3000"]);
    stage.publish(campaign).await;

    let replay = world.audit().await;
    let state = replay.campaign(campaign);
    assert_eq!((state.status, state.funded), (Status::Published, vcoin("3000").into()));
    let brief = state.brief.as_ref().unwrap();
    assert_eq!(
        (brief.title.as_str(), brief.campaign_type.as_str()),
        ("Another title", "launch")
    );
}

/// Invited, accepted, submitted, rejected, submitted again, approved: the reward is held, free, held again and paid.
#[tokio::test]
async fn work_is_held_rejected_held_again_and_paid() {
    let stage = Stage::new().await;
    let (world, sponsor, first) = (&stage.world, &stage.sponsor, &stage.first);
    let (campaign, mission) = stage.published("100.01", 1, "150").await;
    let held = async || world.audit().await.vcoin(&escrow(campaign));
    stage.invite(mission, &[first, &stage.second]).await;
    assert_eq!(held().await, (1_500_000, 0));
    let assignment = AssignmentId::of(mission, id(first));
    world.must(first, &AcceptAssignment { assignment }).await;
    assert_eq!(held().await, (1_500_000, 1_000_100));
    world.must(first, &submission(mission)).await;
    world.must(sponsor, &rejection(assignment)).await;
    assert_eq!(held().await, (1_500_000, 0));
    world.must(first, &submission(mission)).await;
    assert_eq!(held().await, (1_500_000, 1_000_100));
    let events = world.must(sponsor, &approval(assignment)).await;
    let expected = ["assignment.approved", "campaign.reward_paid", "book.transaction_posted"];
    assert_eq!(types(&events), expected);

    // 5 % of 100.01 is 5.0005.
    let accounts = [wallet(id(first)), fees(), escrow(campaign)];
    assert_eq!(world.balances(accounts).await, ["95.0095", "5.0005", "49.9900"]);
    let replay = world.audit().await;
    let state = replay.assignment(assignment);
    assert_eq!((state.status, state.submissions), (Work::Approved, 2));
    assert_eq!(replay.campaign(campaign).payable(id(first)), vcoin("95.0095"));
}

#[tokio::test]
async fn places_are_declined_withdrawn_and_let_pass() {
    let stage = Stage::new().await;
    let (world, first, second) = (&stage.world, &stage.first, &stage.second);
    let (campaign, mission) = stage.published("100", 1, "100").await;
    let held = async || world.audit().await.vcoin(&escrow(campaign)).1;
    stage.invite(mission, &[first]).await;
    let of_first = AssignmentId::of(mission, id(first));
    let decline = DeclineAssignment {
        assignment: of_first,
        reason: Some("no time".to_owned()),
    };
    world.must(first, &decline).await;
    assert_eq!(stage.accepted(mission, first).await, of_first);
    assert_eq!(held().await, 1_000_000);
    let withdraw = WithdrawAssignment {
        assignment: of_first,
        reason: None,
    };
    world.must(first, &withdraw).await;
    assert_eq!(held().await, 0);

    world.must(&stage.sponsor, &OpenMission { mission }).await;
    world.must(second, &JoinMission { mission }).await;
    assert_eq!(held().await, 1_000_000);
    stage.invite(mission, &[first]).await;
    world.must(&stage.sponsor, &CloseMission { mission }).await;
    let worker = viral_commands::Caller::system("expiry");
    let cancel = CancelInvitation {
        assignment: of_first,
        reason: Some("the mission is closed".to_owned()),
    };
    world.must(&worker, &cancel).await;
    world.wait(Duration::days(30));
    let of_second = AssignmentId::of(mission, id(second));
    world.must(&worker, &ExpireAssignment { assignment: of_second }).await;
    assert_eq!(held().await, 0);
    let replay = world.audit().await;
    assert_eq!(replay.assignment(of_first).status, Work::Cancelled);
    assert_eq!(replay.assignment(of_second).status, Work::Expired);
}

/// What was submitted in time is held beyond the deadline, until it is reviewed.
#[tokio::test]
async fn timely_work_outlives_the_deadline() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published("100", 1, "100").await;
    let assignment = stage.submitted(mission, &stage.first).await;
    stage.world.wait(Duration::days(300));
    let worker = viral_commands::Caller::system("expiry");
    let expire = ExpireAssignment { assignment };
    stage.world.refused(&worker, &expire, "assignment_wrong_status").await;
    stage.world.must(&stage.sponsor, &approval(assignment)).await;
    assert_eq!(
        stage.world.balances([wallet(id(&stage.first)), escrow(campaign)]).await,
        ["95", "0"]
    );
    stage.world.audit().await;
}

#[tokio::test]
async fn a_campaign_with_open_work_closes_when_the_work_is_settled() {
    let stage = Stage::new().await;
    let (world, sponsor) = (&stage.world, &stage.sponsor);
    let (campaign, mission) = stage.published("100", 2, "1000").await;
    let done = stage.submitted(mission, &stage.first).await;
    let withdrawn = stage.accepted(mission, &stage.second).await;
    let accounts = || [wallet(id(sponsor)), escrow(campaign)];
    assert_eq!(world.balances(accounts()).await, ["19000", "1000"]);

    world.must(sponsor, &CloseCampaign { campaign }).await;
    assert_eq!(world.balances(accounts()).await, ["19800", "200"]);
    assert_eq!(world.audit().await.campaign(campaign).status, Status::Closing);
    world.must(sponsor, &approval(done)).await;
    assert_eq!(world.balances(accounts()).await, ["19800", "100"]);
    let withdraw = WithdrawAssignment {
        assignment: withdrawn,
        reason: None,
    };
    let events = world.must(&stage.second, &withdraw).await;
    assert_eq!(
        types(&events),
        [
            "assignment.withdrawn",
            "campaign.place_freed",
            "campaign.closed",
            "book.hold_voided",
            "book.transaction_posted"
        ]
    );
    assert_eq!(world.balances(accounts()).await, ["19900", "0"]);
    let replay = world.audit().await;
    assert_eq!(replay.campaign(campaign).status, Status::Closed);
    let again = replay.campaign(campaign).decide(&CampaignCommand::Close {
        refund: uuid::Uuid::nil(),
    });
    assert!(again.is_err());

    // What was earned stays payable.
    let payout = stage.approved(campaign, &stage.first, "95").await;
    world.must(&stage.admin, &sending(payout)).await;
    world.must(&stage.admin, &settled(payout)).await;
    world.audit().await;
}

#[tokio::test]
async fn drafts_and_idle_campaigns_close_at_once() {
    let stage = Stage::new().await;
    let (idle, _) = stage.published("100", 2, "1000").await;
    let draft = stage.draft("10").await;
    for campaign in [idle, draft] {
        stage.world.must(&stage.sponsor, &CloseCampaign { campaign }).await;
        assert_eq!(stage.world.audit().await.campaign(campaign).status, Status::Closed);
    }
    assert_eq!(
        stage.world.balances([wallet(id(&stage.sponsor)), escrow(idle)]).await,
        ["20000", "0"]
    );
}

#[tokio::test]
async fn users_change_and_are_checked() {
    let world = World::new().await;
    let (creator, admin) = (world.user(Role::Creator).await, world.user(Role::Admin).await);
    let profile = Profile {
        bio: "Films the sea.".to_owned(),
        display_name: "Somebody".to_owned(),
        email: None,
        links: vec!["https://example.com".to_owned()],
    };
    let user = id(&creator);
    world.must(&creator, &ChangeProfile { user, profile }).await;
    for verification in [Verification::Pending, Verification::Verified] {
        world.must(&admin, &ChangeVerification { user, verification }).await;
        assert_eq!(world.audit().await.users[&user].verification, verification);
    }
}

/// The fee is the one of the day of the acceptance, whatever the terms are when the work is taken.
#[tokio::test]
async fn terms_are_those_of_the_day() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published("100", 1, "100").await;
    let assignment = stage.submitted(mission, &stage.first).await;
    let terms = Terms {
        fee: viral_domain::BasisPoints(2_000),
        admin_limit: vcoin("1"),
        payout_attempts: 1,
        ..Terms::default()
    };
    let later = stage
        .world
        .another(terms, viral_commands::Environment::Development)
        .await;
    let payout = {
        later.must(&stage.sponsor, &approval(assignment)).await;
        assert_eq!(later.balances([wallet(id(&stage.first)), fees()]).await, ["95", "5"]);
        stage.sent(campaign, &stage.first, "50").await
    };
    later.must(&stage.admin, &failed(payout, false)).await;
    let replay = later.audit().await;
    assert_eq!(
        replay.payout(payout).status,
        Paid::Approved,
        "three attempts were allowed when it was requested"
    );
}
