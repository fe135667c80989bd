//! Who sees what: objects of others are as if they were not there.

use crate::stage::{Stage, id};
use serde_json::json;

#[tokio::test]
async fn a_draft_is_its_sponsors_own() {
    let stage = Stage::new().await;
    let path = stage.draft().await;
    let mission = stage.does("missions", &path, stage.mission(1), 201).await;
    let mission = format!("/v1/missions/{}", mission["id"].as_str().unwrap());
    for who in [&stage.rival, &stage.first] {
        stage.api.unread_as(who, &path, (404, "unknown_campaign")).await;
        stage
            .api
            .unread_as(who, &format!("{path}/missions"), (404, "unknown_campaign"))
            .await;
        stage.api.unread_as(who, &mission, (404, "unknown_mission")).await;
        let list = stage.api.read_as(who, "/v1/campaigns").await;
        assert_eq!(list, json!({"campaigns": []}));
    }
    stage.api.read_as(&stage.sponsor, &path).await;
    stage.api.read_as(&stage.sponsor, &mission).await;
}

#[tokio::test]
async fn a_published_campaign_is_seen_by_creators_but_not_by_other_sponsors() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    for path in [campaign.clone(), format!("{campaign}/missions"), mission.clone()] {
        stage.api.read_as(&stage.second, &path).await;
        let code = if path == mission {
            "unknown_mission"
        } else {
            "unknown_campaign"
        };
        stage.api.unread_as(&stage.rival, &path, (404, code)).await;
    }
    // What creators do not see at all, and what is another sponsor's.
    for part in ["assignments", "events", "statement"] {
        let path = format!("{campaign}/{part}");
        stage.api.unread_as(&stage.first, &path, (403, "forbidden")).await;
        stage
            .api
            .unread_as(&stage.rival, &path, (404, "unknown_campaign"))
            .await;
        stage
            .api
            .unread_as(&stage.lookers()[2], &path, (403, "forbidden"))
            .await;
        let unknown = format!("/v1/campaigns/0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071/{part}");
        stage
            .api
            .unread_as(&stage.sponsor, &unknown, (404, "unknown_campaign"))
            .await;
        stage
            .api
            .unread_as(&stage.admin, &unknown, (404, "unknown_campaign"))
            .await;
    }
    // A part in a mission is its creator's, its sponsor's and of those who look at everything.
    for who in [&stage.first, &stage.sponsor, &stage.admin]
        .into_iter()
        .chain(&stage.lookers()[..2])
    {
        assert_eq!(stage.api.read_as(who, &assignment).await["id"], id(&assignment));
    }
    for who in [&stage.second, &stage.rival] {
        stage.api.unread_as(who, &assignment, (404, "unknown_assignment")).await;
    }
    stage
        .api
        .unread_as(&stage.lookers()[2], &assignment, (403, "forbidden"))
        .await;
}

#[tokio::test]
async fn a_campaign_that_is_over_is_seen_by_who_took_part() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    stage.does("close", &campaign, json!({}), 200).await;
    for status in ["closing", "closed"] {
        let seen = stage.api.read_as(&stage.first, &campaign).await;
        assert_eq!((&seen["status"], seen.get("money")), (&json!(status), None));
        stage.api.read_as(&stage.first, &mission).await;
        stage
            .api
            .unread_as(&stage.second, &campaign, (404, "unknown_campaign"))
            .await;
        stage
            .api
            .unread_as(&stage.second, &mission, (404, "unknown_mission"))
            .await;
        if status == "closing" {
            stage
                .does("review", &assignment, json!({"verdict": "approve"}), 200)
                .await;
        }
    }
}
