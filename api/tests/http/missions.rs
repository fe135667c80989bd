//! Missions: adding them, inviting creators and open calls.

use crate::campaigns::body;
use crate::stage::{Stage, id};
use serde_json::{Value, json};

const POST: &str = "POST";

#[tokio::test]
async fn a_mission_is_added() {
    let stage = Stage::new().await;
    let campaign = stage.draft().await;
    let path = format!("{campaign}/missions");
    let added = stage
        .api
        .must_as(&stage.sponsor, POST, &path, &stage.mission(3), 201)
        .await;
    let mut expected = json!({
        "id": added["id"], "campaign_id": id(&campaign), "mission_type": "video",
        "requirements": {"required": ["url"]}, "reward_vcoin": "500.0000", "deadline": "2026-04-01T00:00:00.000000Z",
        "places": 3, "status": "open",
    });
    assert_eq!(body(added), expected);
    // What is left out: everything fits, one place.
    let mut least = stage.mission(1);
    for field in ["requirements", "places"] {
        least.as_object_mut().unwrap().remove(field);
    }
    let answer = stage.api.post_as(&stage.sponsor, &path, least).await;
    assert_eq!(
        answer.header("location"),
        Some(format!("/v1/missions/{}", answer.id()).as_str())
    );
    expected["id"] = answer.id().into();
    expected["requirements"] = json!({});
    expected["places"] = 1.into();
    assert_eq!(body(answer.json()), expected);
}

#[tokio::test]
async fn what_a_mission_cannot_ask_for() {
    let stage = Stage::new().await;
    let path = format!("{}/missions", stage.draft().await);
    for (field, value, why) in [
        ("mission_type", json!(""), (422, "invalid_mission")),
        (
            "requirements",
            json!({"type": "no such type"}),
            (422, "invalid_mission"),
        ),
        ("requirements", json!({"pattern": "("}), (422, "invalid_mission")),
        (
            "requirements",
            json!({"$ref": "https://example.com/schema"}),
            (422, "invalid_mission"),
        ),
        ("requirements", json!(true), (422, "invalid_mission")),
        ("requirements", json!([]), (422, "invalid_mission")),
        ("reward_vcoin", json!("0"), (422, "invalid_mission")),
        ("reward_vcoin", json!("10000.0001"), (422, "invalid_mission")),
        ("reward_vcoin", json!(500), (400, "invalid_amount")),
        ("deadline", json!("2026-03-01T12:00:00Z"), (422, "invalid_mission")),
        ("deadline", json!("2026-07-01T00:00:00Z"), (422, "invalid_mission")),
        ("deadline", json!("soon"), (400, "invalid_time")),
        ("places", json!(0), (422, "invalid_mission")),
        ("places", json!(10_001), (422, "invalid_mission")),
        ("places", json!(-1), (400, "invalid_body")),
        ("places", json!("1"), (400, "invalid_body")),
        ("open_call", json!(true), (400, "invalid_body")),
    ] {
        let mut mission = stage.mission(1);
        mission[field] = value;
        stage.api.refused_as(&stage.sponsor, POST, &path, &mission, why).await;
    }
}

#[tokio::test]
async fn creators_are_invited_all_or_none() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published(2).await;
    let path = format!("{mission}/assign");
    let (first, second) = (stage.first.id.to_string(), stage.second.id.to_string());
    let invite = |creators: &[&str]| json!({"creators": creators});
    for (text, why) in [
        (invite(&[]), (422, "invalid_invitations")),
        (invite(&[&first, &first]), (422, "invalid_invitations")),
        (invite(&[&first, &stage.rival.id.to_string()]), (422, "unknown_creator")),
        (
            invite(&[&first, "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071"]),
            (422, "unknown_creator"),
        ),
        (invite(&[&first, "nobody"]), (400, "invalid_id")),
        (json!({}), (400, "invalid_body")),
        (json!({"open_call": false}), (400, "invalid_body")),
        (json!({"creators": [first], "open_call": true}), (400, "invalid_body")),
        (json!({"creators": first}), (400, "invalid_body")),
        (json!({"creators": [first], "reward_vcoin": "9"}), (400, "invalid_body")),
    ] {
        stage.api.refused_as(&stage.sponsor, POST, &path, &text, why).await;
    }
    let answer = stage
        .api
        .must_as(&stage.sponsor, POST, &path, &invite(&[&first, &second]), 200)
        .await;
    let ids: Vec<Value> = (0..2).map(|at| answer["assignments"][at]["id"].clone()).collect();
    let expected = json!({"mission_id": id(&mission), "assignments": [
        {"id": ids[0], "creator_id": first, "status": "invited"},
        {"id": ids[1], "creator_id": second, "status": "invited"},
    ]});
    assert_eq!(body(answer), expected);
    let twice = (409, "assignment_wrong_status");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &path, &invite(&[&first]), twice)
        .await;
    let missing = (404, "unknown_mission");
    stage
        .api
        .refused_as(&stage.rival, POST, &path, &invite(&[&first]), missing)
        .await;
    stage
        .api
        .refused_as(&stage.rival, POST, &path, &json!({"open_call": true}), missing)
        .await;
}

#[tokio::test]
async fn an_open_call_takes_who_comes_first() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let path = format!("{mission}/assign");
    let closed = (409, "not_an_open_call");
    stage
        .api
        .refused_as(&stage.first, POST, &path, &json!({}), closed)
        .await;
    let open = json!({"open_call": true});
    let answer = stage.api.must_as(&stage.sponsor, POST, &path, &open, 200).await;
    assert_eq!(body(answer), json!({"mission_id": id(&mission), "open_call": true}));
    stage
        .api
        .refused_as(&stage.sponsor, POST, &path, &open, (409, "already_open_call"))
        .await;
    // Creators name nobody.
    for text in [
        open,
        json!({"creators": [stage.first.id.to_string()]}),
        json!({"open_call": false}),
    ] {
        stage
            .api
            .refused_as(&stage.first, POST, &path, &text, (400, "invalid_body"))
            .await;
    }
    let answer = stage.api.must_as(&stage.first, POST, &path, &json!({}), 201).await;
    let expected = json!({
        "id": answer["id"], "campaign_id": id(&campaign), "mission_id": id(&mission),
        "creator_id": stage.first.id.to_string(), "status": "accepted", "reward_vcoin": "500.0000", "fee_bps": 500,
        "deadline": "2026-04-01T00:00:00.000000Z", "hold_id": answer["hold_id"],
    });
    let hold = stage
        .api
        .get_json(&format!("/v1/ledger/holds/{}", answer["hold_id"].as_str().unwrap()))
        .await;
    assert_eq!((&hold["amount"], &hold["status"]), (&json!("500.0000"), &json!("open")));
    assert_eq!(body(answer), expected);
    stage
        .api
        .refused_as(&stage.second, POST, &path, &json!({}), (409, "mission_full"))
        .await;
    stage
        .api
        .refused_as(&stage.first, POST, &path, &json!({}), (409, "assignment_wrong_status"))
        .await;
}

#[tokio::test]
async fn an_escrow_must_cover_the_reward() {
    let stage = Stage::new().await;
    let campaign = stage.draft().await;
    let mission = stage.does("missions", &campaign, stage.mission(1), 201).await;
    let mission = format!("/v1/missions/{}", mission["id"].as_str().unwrap());
    stage.does("publish", &campaign, json!({}), 200).await;
    stage.does("assign", &mission, json!({"open_call": true}), 200).await;
    let path = format!("{mission}/assign");
    stage
        .api
        .refused_as(&stage.first, POST, &path, &json!({}), (422, "escrow_too_low"))
        .await;
}

#[tokio::test]
async fn a_closed_mission_takes_nobody_new() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    let invitation = stage.invited(&mission, &stage.second).await;
    let path = format!("{mission}/close");
    for (who, why) in [
        (&stage.rival, (404, "unknown_mission")),
        (&stage.first, (403, "forbidden")),
        (&stage.admin, (403, "forbidden")),
    ] {
        stage.api.refused_as(who, POST, &path, &json!({}), why).await;
    }
    let answer = stage.api.must_as(&stage.sponsor, POST, &path, &json!({}), 200).await;
    assert_eq!(body(answer), json!({"id": id(&mission), "status": "closed"}));
    let closed = (409, "mission_closed");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &path, &json!({}), closed)
        .await;
    let invite = json!({"creators": [stage.first.id.to_string()]});
    let assign = format!("{mission}/assign");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &assign, &invite, closed)
        .await;
    stage
        .api
        .refused_as(&stage.second, POST, &format!("{invitation}/accept"), &json!({}), closed)
        .await;
    let unknown = "/v1/missions/0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071/close";
    let missing = (404, "unknown_mission");
    stage
        .api
        .refused_as(&stage.sponsor, POST, unknown, &json!({}), missing)
        .await;
    // The id of something else is no mission's.
    let not_one = format!("/v1/missions/{}/close", id(&campaign));
    stage
        .api
        .refused_as(&stage.sponsor, POST, &not_one, &json!({}), missing)
        .await;
}
