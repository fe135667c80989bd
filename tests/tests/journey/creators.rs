//! A creator's dashboard.

use crate::stage::{Stage, id};
use serde_json::{Value, json};
use std::time::Duration;
use viral_api::Role;

const DASHBOARD: &str = "/v1/creators/me/dashboard";
const DAY: Duration = Duration::from_secs(86_400);

/// The path of another mission of a campaign.
async fn mission(stage: &Stage, campaign: &str, reward: &str, deadline: &str) -> String {
    let mut mission = stage.mission(2);
    mission["reward_vcoin"] = reward.into();
    mission["deadline"] = deadline.into();
    let mission = stage.does("missions", campaign, mission, 201).await;
    format!("/v1/missions/{}", mission["id"].as_str().unwrap())
}

async fn open_call(stage: &Stage, campaign: &str, reward: &str, deadline: &str) -> String {
    let mission = mission(stage, campaign, reward, deadline).await;
    stage.does("assign", &mission, json!({"open_call": true}), 200).await;
    mission
}

fn ids(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_creator_who_has_just_come_has_an_empty_one() {
    let stage = Stage::new().await;
    let expected = json!({"profile": {"display_name": "A creator"}, "verification_state": "unverified", "level": 1,
        "xp": 0, "invitations": [], "tasks": [], "in_review": [],
        "earnings": {"total_vcoin": "0.0000", "by_campaign": [], "by_month": []},
        "engagement": {"impressions": 0, "clicks": 0, "watch_time": 0, "conversions": 0}, "suggestions": []});
    assert_eq!(stage.api.read_as(&stage.first, DASHBOARD).await, expected);
    let stranger = stage.api.stranger(Role::Creator);
    stage.api.unread_as(&stranger, DASHBOARD, (404, "unknown_user")).await;
    for who in [&stage.sponsor, &stage.admin] {
        stage.api.unread_as(who, DASHBOARD, (403, "forbidden")).await;
    }
}

#[tokio::test]
async fn assignments_are_where_they_belong_by_deadline() {
    let stage = Stage::new().await;
    let (campaign, late) = stage.published(2).await;
    let soon = mission(&stage, &campaign, "100", "2026-03-10T00:00:00Z").await;
    let sooner = mission(&stage, &campaign, "100", "2026-03-09T00:00:00Z").await;
    let soonest = mission(&stage, &campaign, "100", "2026-03-08T00:00:00Z").await;
    let accepted = stage.accepted(&late, &stage.first).await;
    let rejected = stage.submitted(&soon, &stage.first).await;
    let no = json!({"verdict": "reject", "reason": "too short"});
    stage.does("review", &rejected, no, 200).await;
    let in_review = stage.submitted(&sooner, &stage.first).await;
    let invited = stage.invited(&soonest, &stage.first).await;
    stage.invited(&soonest, &stage.second).await;

    let dashboard = stage.api.read_as(&stage.first, DASHBOARD).await;
    assert_eq!(ids(&dashboard["invitations"]), [id(&invited)]);
    assert_eq!(ids(&dashboard["tasks"]), [id(&rejected), id(&accepted)]);
    assert_eq!(ids(&dashboard["in_review"]), [id(&in_review)]);
    assert_eq!((&dashboard["xp"], &dashboard["level"]), (&json!(30), &json!(1)));
    // Each of them is the assignment as it is read elsewhere, with the title of its campaign.
    for list in ["invitations", "tasks", "in_review"] {
        for task in dashboard[list].as_array().unwrap() {
            let path = format!("/v1/assignments/{}", task["id"].as_str().unwrap());
            let mut assignment = stage.api.read_as(&stage.first, &path).await;
            assignment["campaign_title"] = "A launch".into();
            assert_eq!(*task, assignment);
        }
    }
    // What is too late is no task any more; what was handed in still waits.
    stage.api.advance(DAY * 20);
    let dashboard = stage.api.read_as(&stage.first, DASHBOARD).await;
    assert_eq!(ids(&dashboard["invitations"]), [""; 0]);
    assert_eq!(ids(&dashboard["tasks"]), [id(&accepted)]);
    assert_eq!(ids(&dashboard["in_review"]), [id(&in_review)]);
}

#[tokio::test]
async fn earnings_are_by_campaign_and_month_and_make_levels() {
    let stage = Stage::new().await;
    let (small, mission) = stage.published(2).await;
    let (large, _) = stage.published(1).await;
    stage.approved(&mission, &stage.first).await;
    stage.api.advance(DAY * 40);
    for reward in ["1000", "0.1"] {
        let mission = self::mission(&stage, &large, reward, "2026-05-01T00:00:00Z").await;
        stage.approved(&mission, &stage.first).await;
    }
    let payout = stage.requested(&large, &stage.first, "50.095").await;
    let rejected = stage.requested(&small, &stage.first, "75").await;
    let path = format!("/v1/payouts/{}/reject", rejected["id"].as_str().unwrap());
    let answer = stage
        .api
        .post_as(&stage.sponsor, &path, json!({"reason": "not agreed"}))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let dashboard = stage.api.read_as(&stage.first, DASHBOARD).await;
    let earnings = json!({"total_vcoin": "1425.0950",
        "by_campaign": [
            {"campaign_id": id(&large), "title": "A launch", "earned_vcoin": "950.0950", "payable_vcoin": "900.0000"},
            {"campaign_id": id(&small), "title": "A launch", "earned_vcoin": "475.0000", "payable_vcoin": "475.0000"}],
        "by_month": [{"month": "2026-03", "earned_vcoin": "475.0000"},
            {"month": "2026-04", "earned_vcoin": "950.0950"}]});
    assert_eq!(dashboard["earnings"], earnings);
    assert_eq!((&dashboard["xp"], &dashboard["level"]), (&json!(330), &json!(2)));
    assert_eq!(payout["amount_vcoin"], "50.0950");
    let other = stage.api.read_as(&stage.second, DASHBOARD).await;
    assert_eq!(other["earnings"]["total_vcoin"], "0.0000");
}

#[tokio::test]
async fn suggestions_are_open_calls_that_can_be_taken() {
    let stage = Stage::new().await;
    let (campaign, invited_only) = stage.published(2).await;
    let (first, second) = (
        open_call(&stage, &campaign, "300", "2026-03-20T00:00:00Z").await,
        open_call(&stage, &campaign, "400", "2026-03-20T00:00:00Z").await,
    );
    let taken = open_call(&stage, &campaign, "450", "2026-03-20T00:00:00Z").await;
    let joined = stage
        .api
        .post_as(&stage.first, &format!("{taken}/assign"), json!({}))
        .await;
    assert_eq!(joined.status, 201, "{joined:?}");
    let closed = open_call(&stage, &campaign, "450", "2026-03-20T00:00:00Z").await;
    stage.does("close", &closed, json!({}), 200).await;
    let too_dear = open_call(&stage, &campaign, "4600", "2026-03-20T00:00:00Z").await;
    open_call(&stage, &campaign, "500", "2026-03-05T00:00:00Z").await;
    stage.api.advance(DAY * 5);

    let suggestions = async |who| stage.api.read_as(who, DASHBOARD).await["suggestions"].clone();
    let found = suggestions(&stage.first).await;
    assert_eq!(
        ids(&found),
        [id(&second), id(&first)],
        "not {invited_only} and {too_dear}"
    );
    let mut mission = stage.api.read_as(&stage.first, &second).await;
    mission["campaign_title"] = "A launch".into();
    assert_eq!(found[0], mission);
    assert_eq!(
        ids(&suggestions(&stage.second).await),
        [id(&taken), id(&second), id(&first)]
    );
    stage.does("pause", &campaign, json!({}), 200).await;
    assert_eq!(suggestions(&stage.first).await, json!([]));
}
