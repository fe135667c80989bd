//! Missions and assignments, one and many.

use super::stage::{Stage, at, id, json_of};
use serde_json::json;
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_domain::assignment::Status;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, CampaignId, MissionId};
use viral_projections::queries::{Assignment, Page, TimeKey};

#[tokio::test(flavor = "multi_thread")]
async fn missions_come_in_their_order() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let campaign = stage.draft(&sponsor, "A launch", "launch", json!({})).await;
    let first = stage
        .mission(&sponsor, campaign, "12.5", 2, "2026-03-01T00:00:00.5Z")
        .await;
    stage.wait_until("2026-01-16T10:00:00Z");
    let second = stage.mission(&sponsor, campaign, "7", 1, "2026-02-01T00:00:00Z").await;
    stage.run(&sponsor, &OpenMission { mission: second }).await;
    stage.run(&sponsor, &CloseMission { mission: first }).await;
    let head = stage.caught_up().await;
    let answer = stage.models.missions_of(campaign, None).await.unwrap();
    assert_eq!(answer.position, head);
    let missions = answer.value.unwrap();
    assert_eq!(
        (missions.sponsor_id, missions.campaign_status.as_str()),
        (id(&sponsor), "draft")
    );
    let expected = json!([
        {"id": first, "campaign_id": campaign, "mission_type": "video", "requirements": {"required": ["url"]},
            "reward_vcoin": "12.5000", "deadline": "2026-03-01T00:00:00.500000Z", "places": 2, "places_taken": 0,
            "open_call": false, "status": "closed"},
        {"id": second, "campaign_id": campaign, "mission_type": "video", "requirements": {"required": ["url"]},
            "reward_vcoin": "7.0000", "deadline": "2026-02-01T00:00:00.000000Z", "places": 1, "places_taken": 0,
            "open_call": true, "status": "open"},
    ]);
    assert_eq!(json_of(&missions.value), expected);
    let one = stage.models.mission(second, None).await.unwrap().value.unwrap();
    assert_eq!((one.sponsor_id, one.campaign_status.as_str()), (id(&sponsor), "draft"));
    assert_eq!(json_of(&one.value), expected[1]);
    let nothing = Uuid::from_u128(1);
    assert_eq!(
        stage.models.missions_of(CampaignId(nothing), None).await.unwrap().value,
        None
    );
    assert_eq!(
        stage.models.mission(MissionId(nothing), None).await.unwrap().value,
        None
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn assignments_are_filtered_and_paged() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let campaign = stage.published(&sponsor, "A launch", "1000").await;
    let other = stage.published(&sponsor, "Another", "1000").await;
    let late = stage.mission(&sponsor, campaign, "10", 9, "2026-03-02T00:00:00Z").await;
    let soon = stage.mission(&sponsor, campaign, "10", 9, "2026-03-01T00:00:00Z").await;
    let elsewhere = stage.mission(&sponsor, other, "10", 9, "2026-03-01T00:00:00Z").await;
    let mut expected = Vec::new();
    for number in 0..4 {
        let creator = stage.user(Role::Creator, &format!("creator {number}")).await;
        expected.push((
            at("2026-03-02T00:00:00Z"),
            stage.invite(&sponsor, late, &creator).await.0,
        ));
        expected.push((
            at("2026-03-01T00:00:00Z"),
            stage.accept(&sponsor, soon, &creator).await.0,
        ));
        stage.invite(&sponsor, elsewhere, &creator).await;
    }
    expected.sort_unstable();
    stage.caught_up().await;
    let pages = async |status, limit| {
        let (mut all, mut after): (Vec<Assignment>, Option<TimeKey>) = (Vec::new(), None);
        loop {
            let answer = stage
                .models
                .assignments_of(campaign, status, after, limit)
                .await
                .unwrap();
            let of_campaign = answer.value.unwrap();
            assert_eq!(
                (of_campaign.sponsor_id, of_campaign.campaign_status.as_str()),
                (id(&sponsor), "published")
            );
            let Page { items, next } = of_campaign.value;
            assert!(next.is_none() || items.len() == limit);
            all.extend(items);
            after = next;
            if after.is_none() {
                return all.into_iter().map(|row| (row.deadline, row.id)).collect::<Vec<_>>();
            }
        }
    };
    for limit in [1, 3, 4, 8, 100] {
        assert_eq!(pages(None, limit).await, expected, "pages of {limit}");
        assert_eq!(
            pages(Some(Status::Accepted), limit).await,
            expected[..4],
            "pages of {limit}"
        );
        assert_eq!(
            pages(Some(Status::Invited), limit).await,
            expected[4..],
            "pages of {limit}"
        );
        assert_eq!(pages(Some(Status::Approved), limit).await, [], "pages of {limit}");
    }
    let nothing = CampaignId(Uuid::from_u128(1));
    assert_eq!(
        stage
            .models
            .assignments_of(nothing, None, None, 10)
            .await
            .unwrap()
            .value,
        None
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_tells_its_story() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "50.00").await;
    let creator = stage.user(Role::Creator, "creator").await;
    let campaign = stage.published(&sponsor, "A launch", "1000").await;
    let mission = stage
        .mission(&sponsor, campaign, "100.5", 1, "2026-03-01T00:00:00Z")
        .await;
    let assignment = stage.submit(&sponsor, mission, &creator).await;
    stage.wait_until("2026-01-16T10:00:00.25Z");
    stage.reject(&sponsor, assignment).await;
    stage.caught_up().await;
    let told = async || json_of(&stage.models.assignment(assignment).await.unwrap().value.unwrap());
    let mut expected = json!({
        "id": assignment, "campaign_id": campaign, "mission_id": mission, "creator_id": id(&creator),
        "sponsor_id": id(&sponsor), "status": "rejected", "reward_vcoin": "100.5000", "fee_bps": 500,
        "fee_vcoin": null, "net_vcoin": null, "deadline": "2026-03-01T00:00:00.000000Z", "submissions": 1,
        "deliverable": {"url": "https://example.com/video"}, "deliverable_url": "https://example.com/video",
        "reason": "too short", "invited_at": "2026-01-15T09:00:00.000000Z",
        "accepted_at": "2026-01-15T09:00:00.000000Z", "submitted_at": "2026-01-15T09:00:00.000000Z",
        "resolved_at": "2026-01-16T10:00:00.250000Z",
    });
    assert_eq!(told().await, expected);
    let deliverable = viral_domain::assignment::Deliverable {
        details: Default::default(),
        stream_id: None,
        url: Some("https://example.com/longer".to_owned()),
    };
    stage.run(&creator, &SubmitDeliverable { mission, deliverable }).await;
    let verdict = Verdict::Approve;
    stage.run(&sponsor, &ReviewAssignment { assignment, verdict }).await;
    stage.caught_up().await;
    for (field, value) in [
        ("status", json!("approved")),
        ("fee_vcoin", json!("5.0250")),
        ("net_vcoin", json!("95.4750")),
        ("submissions", json!(2)),
        ("deliverable", json!({"url": "https://example.com/longer"})),
        ("deliverable_url", json!("https://example.com/longer")),
        ("reason", json!(null)),
        ("submitted_at", json!("2026-01-16T10:00:00.250000Z")),
    ] {
        expected[field] = value;
    }
    assert_eq!(told().await, expected);
    let nothing = AssignmentId(Uuid::from_u128(1));
    assert_eq!(stage.models.assignment(nothing).await.unwrap().value, None);
    running.stop().await;
}
