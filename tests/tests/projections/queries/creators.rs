//! Users, and the dashboard of a creator.

use super::stage::{Stage, at, id, json_of};
use serde_json::{Value, json};
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_domain::UserId;
use viral_domain::user::{Role, Verification};

#[tokio::test(flavor = "multi_thread")]
async fn users_have_profiles_in_clear() {
    let (stage, running) = Stage::new().await;
    let creator = stage.user(Role::Creator, "first name").await;
    let admin = stage.user(Role::Admin, "admin").await;
    let profile = Profile {
        bio: "I make videos.".to_owned(),
        display_name: "second name".to_owned(),
        email: Some("second@example.org".to_owned()),
        links: vec!["https://example.org".to_owned()],
    };
    let user = id(&creator);
    stage.wait_until("2026-02-01T00:00:00Z");
    stage.run(&creator, &ChangeProfile { user, profile }).await;
    let verification = Verification::Verified;
    stage.run(&admin, &ChangeVerification { user, verification }).await;
    let head = stage.caught_up().await;
    let answer = stage.models.user(user).await.unwrap();
    assert_eq!(answer.position, head);
    let found = answer.value.unwrap();
    assert!(!format!("{found:?}").contains("second"), "{found:?}");
    let expected = json!({
        "id": user, "role": "creator", "verification_state": "verified", "created_at": "2026-01-15T09:00:00.000000Z",
        "profile": {"bio": "I make videos.", "display_name": "second name", "email": "second@example.org",
            "links": ["https://example.org"]},
    });
    assert_eq!(json_of(&found), expected);
    assert_eq!(stage.models.user(UserId(Uuid::from_u128(1))).await.unwrap().value, None);
    running.stop().await;
}

/// The named fields of each entry.
fn each(list: &Value, names: &[&str]) -> Vec<Value> {
    let entries = list.as_array().unwrap().iter();
    let picked = |entry: &Value| names.iter().map(|name| entry[*name].clone()).collect();
    entries.map(picked).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_says_what_to_do() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let campaign = stage.published(&sponsor, "A launch", "1000").await;
    let mission = async |deadline| stage.mission(&sponsor, campaign, "10", 1, deadline).await;
    let invited = stage
        .invite(&sponsor, mission("2026-03-03T00:00:00Z").await, &creator)
        .await;
    let sooner = stage
        .invite(&sponsor, mission("2026-03-02T00:00:00Z").await, &creator)
        .await;
    let late = stage
        .accept(&sponsor, mission("2026-04-02T00:00:00Z").await, &creator)
        .await;
    let again = stage
        .submit(&sponsor, mission("2026-04-01T00:00:00Z").await, &creator)
        .await;
    stage.reject(&sponsor, again).await;
    let waiting = stage
        .submit(&sponsor, mission("2026-02-01T00:00:00Z").await, &creator)
        .await;
    stage
        .accept(&sponsor, mission("2026-02-02T00:00:00Z").await, &creator)
        .await;
    stage
        .invite(&sponsor, mission("2026-02-02T00:00:00Z").await, &creator)
        .await;
    let head = stage.caught_up().await;
    // Of the last two the deadline has passed, yet nobody has ended them. Work that was in time is still reviewed.
    let now = at("2026-02-02T00:00:00Z");
    let answer = stage.models.dashboard(id(&creator), now).await.unwrap();
    assert_eq!(answer.position, head);
    let told = json_of(&answer.value.unwrap());
    let names = ["id", "status", "campaign_title"];
    let title = "A launch";
    let expected = [json!([sooner, "invited", title]), json!([invited, "invited", title])];
    assert_eq!(each(&told["invitations"], &names), expected);
    let expected = [json!([again, "rejected", title]), json!([late, "accepted", title])];
    assert_eq!(each(&told["tasks"], &names), expected);
    assert_eq!(each(&told["in_review"], &names), [json!([waiting, "submitted", title])]);
    assert_eq!(told["tasks"][1]["reward_vcoin"], "10.0000");
    assert_eq!((&told["xp"], &told["level"]), (&json!(40), &json!(1)));
    assert_eq!(
        (&told["verification_state"], &told["profile"]["display_name"]),
        (&json!("unverified"), &json!("creator"))
    );
    assert_eq!(stage.models.dashboard(id(&sponsor), now).await.unwrap().value, None);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn earnings_are_counted_by_campaign_and_month() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "90.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let other = stage.user(Role::Creator, "other").await;
    let small = stage.published(&sponsor, "Small", "1000").await;
    let large = stage.published(&sponsor, "Large", "3000").await;
    let paid = async |campaign, reward, time: &str| {
        let mission = stage
            .mission(&sponsor, campaign, reward, 2, "2026-06-01T00:00:00Z")
            .await;
        stage.wait_until(time);
        stage.earn(&sponsor, mission, &creator).await;
        mission
    };
    paid(small, "100", "2026-01-31T23:59:59.999999Z").await;
    paid(large, "1000", "2026-02-01T00:00:00Z").await;
    let shared = paid(large, "200.0002", "2026-02-28T12:00:00Z").await;
    paid(small, "10", "2026-05-01T00:00:00Z").await;
    stage.earn(&sponsor, shared, &other).await;
    stage.request_payout(&creator, large, "500").await;
    let cancelled = stage.request_payout(&creator, large, "100").await;
    let cancel = CancelPayout {
        payout: cancelled,
        reason: None,
    };
    stage.run(&creator, &cancel).await;
    stage.caught_up().await;
    let told = stage
        .models
        .dashboard(id(&creator), stage.now())
        .await
        .unwrap()
        .value
        .unwrap();
    let expected = json!({
        "total_vcoin": "1244.5002",
        "by_campaign": [
            {"campaign_id": large, "title": "Large", "earned_vcoin": "1140.0002", "payable_vcoin": "640.0002"},
            {"campaign_id": small, "title": "Small", "earned_vcoin": "104.5000", "payable_vcoin": "104.5000"},
        ],
        "by_month": [
            {"month": "2026-01", "earned_vcoin": "95.0000"},
            {"month": "2026-02", "earned_vcoin": "1140.0002"},
            {"month": "2026-05", "earned_vcoin": "9.5000"},
        ],
    });
    assert_eq!(json_of(&told.earnings), expected);
    // Four were accepted and approved.
    assert_eq!((told.xp, told.level), (440, 3));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_are_missions_that_can_be_joined_at_once() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "90.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let campaign = stage.published(&sponsor, "A launch", "100").await;
    let paused = stage.published(&sponsor, "Paused", "100").await;
    let open = async |campaign, reward: &str, places, deadline| {
        let mission = stage.mission(&sponsor, campaign, reward, places, deadline).await;
        stage.run(&sponsor, &OpenMission { mission }).await;
        mission
    };
    let far = "2026-06-01T00:00:00Z";
    let mut good = Vec::new();
    for reward in ["5", "20", "7.5"] {
        good.push(open(campaign, reward, 2, far).await);
    }
    stage.mission(&sponsor, campaign, "50", 2, far).await;
    open(campaign, "51", 1, "2026-02-01T00:00:00Z").await;
    // The escrow cannot pay for this one.
    open(campaign, "99", 1, far).await;
    let closed = open(campaign, "52", 1, far).await;
    stage.run(&sponsor, &CloseMission { mission: closed }).await;
    let full = open(campaign, "2", 1, far).await;
    stage
        .run(
            &stage.user(Role::Creator, "other").await,
            &JoinMission { mission: full },
        )
        .await;
    let own = open(campaign, "3", 2, far).await;
    stage.run(&creator, &JoinMission { mission: own }).await;
    open(paused, "53", 1, far).await;
    let pause = PauseCampaign {
        campaign: paused,
        reason: None,
    };
    stage.run(&sponsor, &pause).await;
    stage.caught_up().await;
    let now = at("2026-02-01T00:00:00Z");
    let suggested = async || {
        let told = stage.models.dashboard(id(&creator), now).await.unwrap().value.unwrap();
        each(&json_of(&told.suggestions), &["id", "reward_vcoin", "campaign_title"])
    };
    let line = |place: usize, reward: &str| json!([good[place], reward, "A launch"]);
    assert_eq!(
        suggested().await,
        [line(1, "20.0000"), line(2, "7.5000"), line(0, "5.0000")]
    );
    for _ in 0..12 {
        open(campaign, "6", 1, far).await;
    }
    stage.caught_up().await;
    let many = suggested().await;
    assert_eq!(many.len(), 10);
    assert_eq!(many[..2], [line(1, "20.0000"), line(2, "7.5000")]);
    running.stop().await;
}
