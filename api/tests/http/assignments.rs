//! Assignments: accepting, declining, giving back, reviewing.

use crate::campaigns::body;
use crate::stage::{Stage, id};
use serde_json::json;
use std::time::Duration;

const POST: &str = "POST";

#[tokio::test]
async fn an_invitation_is_accepted() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let assignment = stage.invited(&mission, &stage.first).await;
    let path = format!("{assignment}/accept");
    let answer = stage.api.must_as(&stage.first, POST, &path, &json!({}), 200).await;
    let hold = answer["hold_id"].clone();
    assert!(hold.is_string());
    let expected = json!({
        "id": id(&assignment), "campaign_id": id(&campaign), "mission_id": id(&mission),
        "creator_id": stage.first.id.to_string(), "status": "accepted", "reward_vcoin": "500.0000", "fee_bps": 500,
        "deadline": "2026-04-01T00:00:00.000000Z", "hold_id": hold,
    });
    assert_eq!(body(answer), expected);
    let escrow = stage
        .api
        .get_json(&format!("/v1/ledger/accounts/campaign:{}:escrow", id(&campaign)))
        .await;
    assert_eq!(
        (&escrow["balance"], &escrow["held"]),
        (&json!("5000.0000"), &json!("500.0000"))
    );
    stage
        .api
        .refused_as(&stage.first, POST, &path, &json!({}), (409, "assignment_wrong_status"))
        .await;
}

#[tokio::test]
async fn a_place_is_taken_once() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published(1).await;
    let late = stage.invited(&mission, &stage.second).await;
    stage.accepted(&mission, &stage.first).await;
    stage
        .api
        .refused_as(
            &stage.second,
            POST,
            &format!("{late}/accept"),
            &json!({}),
            (409, "mission_full"),
        )
        .await;
}

#[tokio::test]
async fn an_invitation_waits_only_until_the_deadline_and_while_the_campaign_runs() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let path = format!("{}/accept", stage.invited(&mission, &stage.first).await);
    stage.does("pause", &campaign, json!({}), 200).await;
    stage
        .api
        .refused_as(&stage.first, POST, &path, &json!({}), (409, "campaign_wrong_status"))
        .await;
    stage.does("publish", &campaign, json!({}), 200).await;
    stage.api.advance(Duration::from_secs(40 * 24 * 3_600));
    stage
        .api
        .refused_as(&stage.first, POST, &path, &json!({}), (409, "deadline_passed"))
        .await;
}

#[tokio::test]
async fn an_invitation_is_declined() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published(1).await;
    let assignment = stage.invited(&mission, &stage.first).await;
    let path = format!("{assignment}/decline");
    let invalid = (422, "invalid_text");
    stage
        .api
        .refused_as(&stage.first, POST, &path, &json!({"reason": ""}), invalid)
        .await;
    let answer = stage
        .api
        .must_as(&stage.first, POST, &path, &json!({"reason": "no time"}), 200)
        .await;
    assert_eq!(
        body(answer),
        json!({"id": id(&assignment), "status": "declined", "reason": "no time"})
    );
    for call in ["accept", "decline", "withdraw"] {
        let path = format!("{assignment}/{call}");
        stage
            .api
            .refused_as(&stage.first, POST, &path, &json!({}), (409, "assignment_wrong_status"))
            .await;
    }
    // The creator may be asked again, and decline without a reason.
    assert_eq!(stage.invited(&mission, &stage.first).await, assignment);
    let answer = stage.api.must_as(&stage.first, POST, &path, &json!({}), 200).await;
    assert_eq!(body(answer), json!({"id": id(&assignment), "status": "declined"}));
}

#[tokio::test]
async fn a_place_is_given_back() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    let path = format!("{assignment}/withdraw");
    let answer = stage
        .api
        .must_as(&stage.first, POST, &path, &json!({"reason": "ill"}), 200)
        .await;
    assert_eq!(
        body(answer),
        json!({"id": id(&assignment), "status": "withdrawn", "reason": "ill"})
    );
    let escrow = stage
        .api
        .get_json(&format!("/v1/ledger/accounts/campaign:{}:escrow", id(&campaign)))
        .await;
    assert_eq!(escrow["held"], "0.0000");
    // As the last open work of a closing campaign it closes it.
    let assignment = stage.accepted(&mission, &stage.second).await;
    stage.does("close", &campaign, json!({}), 200).await;
    let path = format!("{assignment}/withdraw");
    let answer = stage.api.must_as(&stage.second, POST, &path, &json!({}), 200).await;
    assert_eq!(
        body(answer),
        json!({"id": id(&assignment), "status": "withdrawn", "campaign_status": "closed"})
    );
}

#[tokio::test]
async fn approved_work_is_paid() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    let path = format!("{assignment}/review");
    let answer = stage
        .api
        .must_as(&stage.sponsor, POST, &path, &json!({"verdict": "approve"}), 200)
        .await;
    let transaction = answer["transaction_id"].as_str().unwrap().to_owned();
    let expected = json!({
        "id": id(&assignment), "status": "approved", "reward_vcoin": "500.0000", "fee_vcoin": "25.0000",
        "net_vcoin": "475.0000", "transaction_id": transaction,
    });
    assert_eq!(body(answer), expected);
    let posted = stage
        .api
        .get_json(&format!("/v1/ledger/transactions/{transaction}"))
        .await;
    assert_eq!(
        (&posted["code"], &posted["reference"]["id"]),
        (&json!("reward"), &json!(id(&assignment)))
    );
    for (account, balance) in [
        (format!("user:{}:wallet", stage.first.id), "475.0000"),
        ("platform:fees".to_owned(), "25.0000"),
        (format!("campaign:{}:escrow", id(&campaign)), "4500.0000"),
    ] {
        assert_eq!(stage.api.balance(&account).await, balance, "{account}");
    }
    let twice = (409, "assignment_wrong_status");
    for text in [
        json!({"verdict": "approve"}),
        json!({"verdict": "reject", "reason": "no"}),
    ] {
        stage.api.refused_as(&stage.sponsor, POST, &path, &text, twice).await;
    }
}

#[tokio::test]
async fn rejected_work_says_why() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    let path = format!("{assignment}/review");
    for (text, why) in [
        (json!({}), (400, "invalid_body")),
        (json!({"verdict": "maybe"}), (400, "invalid_body")),
        (json!({"verdict": "reject"}), (400, "invalid_body")),
        (json!({"verdict": "approve", "reason": "nice"}), (400, "invalid_body")),
        (
            json!({"verdict": "approve", "reward_vcoin": "1000"}),
            (400, "invalid_body"),
        ),
        (json!({"verdict": "reject", "reason": " "}), (422, "invalid_text")),
    ] {
        stage.api.refused_as(&stage.sponsor, POST, &path, &text, why).await;
    }
    stage.does("close", &campaign, json!({}), 200).await;
    let reject = json!({"verdict": "reject", "reason": "too short"});
    let answer = stage.api.must_as(&stage.sponsor, POST, &path, &reject, 200).await;
    let expected =
        json!({"id": id(&assignment), "status": "rejected", "reason": "too short", "campaign_status": "closed"});
    assert_eq!(body(answer), expected);
    assert_eq!(
        stage.api.balance(&format!("campaign:{}:escrow", id(&campaign))).await,
        "0.0000"
    );
}

#[tokio::test]
async fn work_that_is_not_handed_in_is_not_reviewed() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published(1).await;
    let path = format!("{}/review", stage.accepted(&mission, &stage.first).await);
    let approve = json!({"verdict": "approve"});
    stage
        .api
        .refused_as(&stage.sponsor, POST, &path, &approve, (409, "assignment_wrong_status"))
        .await;
}

#[tokio::test]
async fn assignments_of_others_are_not_there() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    let unknown = "/v1/assignments/0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
    let missing = (404, "unknown_assignment");
    for call in ["accept", "decline", "withdraw"] {
        let path = format!("{assignment}/{call}");
        stage
            .api
            .refused_as(&stage.second, POST, &path, &json!({}), missing)
            .await;
        stage
            .api
            .refused_as(&stage.first, POST, &format!("{unknown}/{call}"), &json!({}), missing)
            .await;
        let other = format!("/v1/assignments/{}/{call}", id(&campaign));
        stage
            .api
            .refused_as(&stage.first, POST, &other, &json!({}), missing)
            .await;
        stage
            .api
            .refused_as(&stage.sponsor, POST, &path, &json!({}), (403, "forbidden"))
            .await;
        let malformed = format!("/v1/assignments/1/{call}");
        stage
            .api
            .refused_as(&stage.first, POST, &malformed, &json!({}), (400, "invalid_id"))
            .await;
    }
    let (path, approve) = (format!("{assignment}/review"), json!({"verdict": "approve"}));
    stage.api.refused_as(&stage.rival, POST, &path, &approve, missing).await;
    stage
        .api
        .refused_as(&stage.sponsor, POST, &format!("{unknown}/review"), &approve, missing)
        .await;
    // Nobody reviews their own work, and admins do not spend sponsors' money.
    for who in [&stage.first, &stage.admin] {
        stage
            .api
            .refused_as(who, POST, &path, &approve, (403, "forbidden"))
            .await;
    }
}
