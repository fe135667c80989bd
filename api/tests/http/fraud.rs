//! Suspicions of fraud: what they hold, and what resolving them releases.

use crate::campaigns::body;
use crate::stage::{Stage, id};
use serde_json::{Value, json};
use uuid::Uuid;

const FRAUD: &str = "/v1/admin/fraud";

fn flag(source_type: &str, source_id: &str) -> Value {
    json!({"source_type": source_type, "source_id": source_id, "score": 80, "reasons": ["one", "two"]})
}

/// A stage with a payout of the first creator, and the paths of its campaign and assignment.
async fn with_payout() -> (Stage, String, String, Value) {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(1).await;
    let assignment = stage.approved(&mission, &stage.first).await;
    let payout = stage.requested(&campaign, &stage.first, "100").await;
    (stage, campaign, assignment, payout)
}

#[tokio::test]
async fn a_flag_holds_what_it_concerns_and_a_dismissal_releases_it() {
    let (stage, campaign, assignment, payout) = with_payout().await;
    let api = &stage.api;
    let user = stage.first.id.to_string();
    let payout_id = payout["id"].as_str().unwrap();
    for (source_type, source_id) in [
        ("user", user.as_str()),
        ("campaign", id(&campaign)),
        ("assignment", id(&assignment)),
        ("payout", payout_id),
    ] {
        let raised = api
            .must_as(&stage.admin, "POST", FRAUD, &flag(source_type, source_id), 201)
            .await;
        let flag_id = raised["id"].as_str().unwrap().to_owned();
        let mut expected = flag(source_type, source_id);
        expected["id"] = flag_id.clone().into();
        expected["status"] = "open".into();
        expected["payouts_held"] = json!([payout_id]);
        assert_eq!(body(raised), expected);
        let approve = format!("/v1/payouts/{payout_id}/approve");
        let approval = json!({"digest": payout["digest"]});
        let held = (409, "payout_held");
        api.refused_as(&stage.sponsor, "POST", &approve, &approval, held).await;
        let dismiss = json!({"resolution": "dismiss", "note": "it was\nnothing"});
        let path = format!("{FRAUD}/{flag_id}/resolve");
        let resolved = api.must_as(&stage.admin, "POST", &path, &dismiss, 200).await;
        let expected = json!({"id": flag_id, "status": "dismissed", "note": "it was\nnothing",
            "payouts_released": [payout_id]});
        assert_eq!(body(resolved), expected);
        let twice = (409, "flag_wrong_status");
        api.refused_as(&stage.admin, "POST", &path, &dismiss, twice).await;
    }
    let approve = format!("/v1/payouts/{payout_id}/approve");
    let approval = json!({"digest": payout["digest"]});
    api.must_as(&stage.sponsor, "POST", &approve, &approval, 200).await;
}

#[tokio::test]
async fn a_confirmed_flag_goes_on_holding() {
    let (stage, campaign, _, _) = with_payout().await;
    let raised = stage
        .api
        .post_as(&stage.admin, FRAUD, flag("user", &stage.first.id.to_string()))
        .await;
    let location = format!("{FRAUD}/{}", raised.id());
    assert_eq!(raised.header("location"), Some(location.as_str()));
    let confirm = json!({"resolution": "confirm"});
    let path = format!("{location}/resolve");
    let resolved = stage.api.must_as(&stage.admin, "POST", &path, &confirm, 200).await;
    let expected = json!({"id": raised.id(), "status": "confirmed", "payouts_released": []});
    assert_eq!(body(resolved), expected);
    assert_eq!(stage.requested(&campaign, &stage.first, "1").await["held"], true);
}

#[tokio::test]
async fn what_is_no_suspicion() {
    let stage = Stage::new().await;
    let user = stage.first.id.to_string();
    let with = |field: &str, value: Value| {
        let mut body = flag("user", &user);
        body[field] = value;
        body
    };
    for (flag, why) in [
        (with("score", json!(101)), (422, "invalid_score")),
        (with("score", json!(-1)), (422, "invalid_score")),
        (with("score", json!(300)), (422, "invalid_score")),
        (with("score", json!(0.5)), (400, "invalid_body")),
        (with("score", json!("80")), (400, "invalid_body")),
        (with("reasons", json!([])), (422, "invalid_reasons")),
        (with("reasons", json!(vec!["one"; 21])), (422, "invalid_reasons")),
        (with("reasons", json!([""])), (422, "invalid_text")),
        (with("source_type", json!("stream")), (400, "invalid_body")),
        (with("source_type", json!("payout")), (422, "unknown_source")),
        (with("source_id", json!(Uuid::nil())), (422, "unknown_source")),
        (with("source_id", json!("somebody")), (400, "invalid_id")),
        (with("severity", json!("high")), (400, "invalid_body")),
    ] {
        stage.api.refused_as(&stage.admin, "POST", FRAUD, &flag, why).await;
    }
    let forbidden = (403, "forbidden");
    let flag = with("score", json!(1));
    stage
        .api
        .refused_as(&stage.sponsor, "POST", FRAUD, &flag, forbidden)
        .await;
}

#[tokio::test]
async fn what_is_no_resolution() {
    let stage = Stage::new().await;
    let raised = stage
        .api
        .post_as(&stage.admin, FRAUD, flag("user", &stage.first.id.to_string()))
        .await;
    let path = format!("{FRAUD}/{}/resolve", raised.id());
    let dismiss = json!({"resolution": "dismiss"});
    let nothing = format!("{FRAUD}/{}/resolve", Uuid::nil());
    let no_id = format!("{FRAUD}/first/resolve");
    for (path, resolution, why) in [
        (&path, &json!({}), (400, "invalid_body")),
        (&path, &json!({"resolution": "forget"}), (400, "invalid_body")),
        (
            &path,
            &json!({"resolution": "dismiss", "reason": "none"}),
            (400, "invalid_body"),
        ),
        (
            &path,
            &json!({"resolution": "dismiss", "note": "x".repeat(4_001)}),
            (422, "invalid_text"),
        ),
        (&nothing, &dismiss, (404, "unknown_flag")),
        (&no_id, &dismiss, (400, "invalid_id")),
    ] {
        stage.api.refused_as(&stage.admin, "POST", path, resolution, why).await;
    }
}
