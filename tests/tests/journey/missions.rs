//! Missions and assignments as they are read.

use crate::stage::{Stage, id};
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn missions_tell_their_places() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    let mut other = stage.mission(1);
    other["reward_vcoin"] = "0.5".into();
    other["requirements"] = json!({});
    stage.api.advance(HOUR);
    let other = stage.does("missions", &campaign, other, 201).await;
    let other = format!("/v1/missions/{}", other["id"].as_str().unwrap());
    stage.does("assign", &other, json!({"open_call": true}), 200).await;
    stage.accepted(&mission, &stage.first).await;
    stage.does("close", &mission, json!({}), 200).await;
    let first = json!({
        "id": id(&mission), "campaign_id": id(&campaign), "mission_type": "video",
        "requirements": {"required": ["url"]}, "reward_vcoin": "500.0000", "deadline": "2026-04-01T00:00:00.000000Z",
        "places": 2, "places_taken": 1, "open_call": false, "status": "closed",
    });
    let second = json!({
        "id": id(&other), "campaign_id": id(&campaign), "mission_type": "video", "requirements": {},
        "reward_vcoin": "0.5000", "deadline": "2026-04-01T00:00:00.000000Z", "places": 1, "places_taken": 0,
        "open_call": true, "status": "open",
    });
    for who in [&stage.sponsor, &stage.first, &stage.second, &stage.admin]
        .into_iter()
        .chain(&stage.lookers())
    {
        let all = stage.api.read_as(who, &format!("{campaign}/missions")).await;
        assert_eq!(all, json!({"missions": [first, second]}));
        assert_eq!(stage.api.read_as(who, &mission).await, first);
        assert_eq!(stage.api.read_as(who, &other).await, second);
    }
}

#[tokio::test]
async fn an_assignment_tells_its_story() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    stage.api.advance(HOUR);
    let path = stage.invited(&mission, &stage.first).await;
    let mut expected = json!({
        "id": id(&path), "campaign_id": id(&campaign), "mission_id": id(&mission),
        "creator_id": stage.first.id.to_string(), "sponsor_id": stage.sponsor.id.to_string(), "status": "invited",
        "reward_vcoin": "500.0000", "fee_bps": null, "fee_vcoin": null, "net_vcoin": null,
        "deadline": "2026-04-01T00:00:00.000000Z", "submissions": 0, "deliverable": null, "deliverable_url": null,
        "reason": null, "invited_at": stage.api.now(), "accepted_at": null, "submitted_at": null, "resolved_at": null,
    });
    let mut check = async |status: &str, changes: Value| {
        expected["status"] = status.into();
        for (field, value) in changes.as_object().unwrap() {
            expected[field] = value.clone();
        }
        assert_eq!(stage.api.read_as(&stage.first, &path).await, expected, "{status}");
        assert_eq!(stage.api.read_as(&stage.sponsor, &path).await, expected, "{status}");
        stage.api.advance(HOUR);
    };
    let does = async |call: String, body: Value| {
        let answer = stage.api.post_as(&stage.first, &call, body).await;
        assert!(answer.status < 300, "{call}: {answer:?}");
    };
    check("invited", json!({})).await;
    does(format!("{path}/accept"), json!({})).await;
    check("accepted", json!({"accepted_at": stage.api.now(), "fee_bps": 500})).await;
    let deliverables = format!("{mission}/deliverables");
    let work = json!({"url": "https://video.example/1", "details": {"language": "en"}});
    does(deliverables.clone(), work.clone()).await;
    let submitted = json!({"submitted_at": stage.api.now(), "submissions": 1, "deliverable": work,
        "deliverable_url": "https://video.example/1"});
    check("submitted", submitted).await;
    stage
        .does(
            "review",
            &path,
            json!({"verdict": "reject", "reason": "too short"}),
            200,
        )
        .await;
    let rejected = stage.api.read_as(&stage.sponsor, &path).await;
    assert_eq!(
        (&rejected["status"], &rejected["reason"]),
        (&json!("rejected"), &json!("too short"))
    );
    does(deliverables, json!({"url": "https://video.example/2"})).await;
    let submitted = json!({"submitted_at": stage.api.now(), "submissions": 2,
        "deliverable": {"url": "https://video.example/2"}, "deliverable_url": "https://video.example/2"});
    check("submitted", submitted).await;
    stage.does("review", &path, json!({"verdict": "approve"}), 200).await;
    let approved = json!({"resolved_at": stage.api.now(), "fee_vcoin": "25.0000", "net_vcoin": "475.0000"});
    check("approved", approved).await;
}

#[tokio::test]
async fn a_campaigns_assignments_are_listed_by_deadline() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    let mut sooner = stage.mission(2);
    sooner["deadline"] = "2026-03-15T00:00:00Z".into();
    let sooner = stage.does("missions", &campaign, sooner, 201).await;
    let sooner = format!("/v1/missions/{}", sooner["id"].as_str().unwrap());
    let late = [
        stage.invited(&mission, &stage.first).await,
        stage.accepted(&mission, &stage.second).await,
    ];
    let soon = [
        stage.invited(&sooner, &stage.first).await,
        stage.submitted(&sooner, &stage.second).await,
    ];
    let list = format!("{campaign}/assignments");
    for who in [&stage.sponsor, &stage.admin].into_iter().chain(&stage.lookers()[..2]) {
        let all = stage.api.pages_as(who, &list, "assignments", 1).await;
        let ids: Vec<&str> = all
            .iter()
            .map(|assignment| assignment["id"].as_str().unwrap())
            .collect();
        let [mut soon, mut late] = [
            soon.each_ref().map(|path| id(path)),
            late.each_ref().map(|path| id(path)),
        ];
        soon.sort_unstable();
        late.sort_unstable();
        assert_eq!(ids, [soon, late].concat());
        for entry in &all {
            let path = format!("/v1/assignments/{}", entry["id"].as_str().unwrap());
            assert_eq!(*entry, stage.api.read_as(who, &path).await);
        }
    }
    let accepted = stage
        .api
        .read_as(&stage.sponsor, &format!("{list}?status=accepted"))
        .await;
    assert_eq!(accepted["assignments"].as_array().unwrap().len(), 1);
    assert_eq!(accepted["assignments"][0]["id"], id(&late[1]));
}
