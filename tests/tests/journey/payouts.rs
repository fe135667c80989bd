//! Payouts as they are read, at every step of their way.

use crate::people::Person;
use crate::stage::{Stage, id};
use serde_json::{Value, json};
use std::time::Duration;

const LIST: &str = "/v1/payouts";
const HOUR: Duration = Duration::from_secs(3_600);

fn path(payout: &Value) -> String {
    format!("{LIST}/{}", payout["id"].as_str().unwrap())
}

async fn does(stage: &Stage, who: &Person, path: &str, body: Value) -> Value {
    let answer = stage.api.post_as(who, path, body).await;
    assert!(answer.status < 300, "{path}: {answer:?}");
    answer.json()
}

/// A stage whose first creator earned 475 V-Coin, and the path of the campaign.
async fn earned() -> (Stage, String) {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    stage.approved(&mission, &stage.first).await;
    (stage, campaign)
}

#[tokio::test]
async fn every_step_is_seen() {
    let (stage, campaign) = earned().await;
    let asked = stage.requested(&campaign, &stage.first, "80").await;
    let requested_at = stage.api.now();
    let (path, admin) = (path(&asked), &stage.admin);
    let mut expected = json!({
        "id": asked["id"], "status": "requested", "held": false, "held_by": [], "campaign_id": id(&campaign),
        "creator_id": stage.first.id.to_string(), "sponsor_id": stage.sponsor.id.to_string(),
        "amount_vcoin": "80.0000", "fiat": {"amount": "0.80", "asset": "USD"}, "rate": "0.01",
        "digest": asked["digest"], "needs_admin": false, "attempt": 0, "attempts": 3, "sponsor_approved_by": null,
        "sponsor_approved_at": null, "admin_approved_by": null, "admin_approved_at": null, "provider": null,
        "provider_reference": null, "reason": null, "requested_at": requested_at, "updated_at": requested_at,
    });
    let mut check = async |change: Value| {
        for (name, value) in change.as_object().unwrap() {
            expected[name] = value.clone();
        }
        for who in [&stage.first, &stage.sponsor, admin]
            .into_iter()
            .chain(&stage.lookers()[..2])
        {
            assert_eq!(stage.api.read_as(who, &path).await, expected);
        }
        let list = stage.api.read_as(&stage.first, LIST).await;
        assert_eq!(list, json!({"payouts": [expected]}));
        stage.api.advance(HOUR);
    };
    check(json!({})).await;
    let flag = json!({"source_type": "payout", "source_id": asked["id"], "score": 50, "reasons": ["odd"]});
    let flag = does(&stage, admin, "/v1/admin/fraud", flag).await;
    let flag_id = flag["id"].as_str().unwrap();
    check(json!({"held": true, "held_by": [flag_id], "updated_at": stage.api.now()})).await;
    let dismiss = format!("/v1/admin/fraud/{flag_id}/resolve");
    does(&stage, admin, &dismiss, json!({"resolution": "dismiss"})).await;
    check(json!({"held": false, "held_by": [], "updated_at": stage.api.now()})).await;
    let approval = json!({"digest": asked["digest"]});
    does(&stage, &stage.sponsor, &format!("{path}/approve"), approval).await;
    check(
        json!({"status": "approved", "sponsor_approved_by": stage.sponsor.id.to_string(),
        "sponsor_approved_at": stage.api.now(), "updated_at": stage.api.now()}),
    )
    .await;
    let outcome = format!("/v1/admin/payouts/{}/outcome", asked["id"].as_str().unwrap());
    stage.sent(&asked).await;
    check(json!({"status": "submitted", "attempt": 1, "provider": "manual", "updated_at": stage.api.now()})).await;
    does(
        &stage,
        admin,
        &outcome,
        json!({"outcome": "unknown", "reason": "no answer"}),
    )
    .await;
    check(json!({"status": "unknown", "reason": "no answer", "updated_at": stage.api.now()})).await;
    does(
        &stage,
        admin,
        &outcome,
        json!({"outcome": "failed", "reason": "refused"}),
    )
    .await;
    check(json!({"status": "approved", "reason": "refused", "updated_at": stage.api.now()})).await;
    stage.sent(&asked).await;
    let again = stage.api.read_as(&stage.first, &path).await;
    assert_eq!((&again["status"], &again["attempt"]), (&json!("submitted"), &json!(2)));
    let settled = json!({"outcome": "settled", "provider_reference": "po_1"});
    does(&stage, admin, &outcome, settled).await;
    let end = stage.api.read_as(&stage.sponsor, &path).await;
    assert_eq!(
        (&end["status"], &end["provider_reference"]),
        (&json!("settled"), &json!("po_1"))
    );
}

#[tokio::test]
async fn both_approvals_and_ends_are_seen() {
    let stage = Stage::new().await;
    stage.buys("200").await;
    let campaign = stage.draft().await;
    let mut mission = stage.mission(1);
    mission["reward_vcoin"] = "3000".into();
    let mission = stage.does("missions", &campaign, mission, 201).await;
    stage
        .does("fund", &campaign, json!({"amount_vcoin": "5000"}), 201)
        .await;
    stage.does("publish", &campaign, json!({}), 200).await;
    let mission = format!("/v1/missions/{}", mission["id"].as_str().unwrap());
    stage.approved(&mission, &stage.first).await;

    let large = stage.requested(&campaign, &stage.first, "1500").await;
    let approve = format!("{}/approve", path(&large));
    let approval = json!({"digest": large["digest"]});
    does(&stage, &stage.sponsor, &approve, approval.clone()).await;
    let seen = stage.api.read_as(&stage.admin, &path(&large)).await;
    assert_eq!(
        (&seen["status"], &seen["needs_admin"]),
        (&json!("sponsor_approved"), &json!(true))
    );
    stage.api.advance(HOUR);
    does(&stage, &stage.admin, &approve, approval).await;
    let seen = stage.api.read_as(&stage.admin, &path(&large)).await;
    let by = (&seen["status"], &seen["admin_approved_by"], &seen["admin_approved_at"]);
    let expected = (
        &json!("approved"),
        &json!(stage.admin.id.to_string()),
        &json!(stage.api.now()),
    );
    assert_eq!(by, expected);
    for (verb, who, status) in [
        ("reject", &stage.sponsor, "rejected"),
        ("cancel", &stage.first, "cancelled"),
    ] {
        let payout = stage.requested(&campaign, &stage.first, "1").await;
        does(
            &stage,
            who,
            &format!("{}/{verb}", path(&payout)),
            json!({"reason": "no"}),
        )
        .await;
        let seen = stage.api.read_as(&stage.first, &path(&payout)).await;
        assert_eq!((&seen["status"], &seen["reason"]), (&json!(status), &json!("no")));
    }
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    let (stage, campaign) = earned().await;
    let mut payouts = Vec::new();
    for number in 1..=5 {
        stage.api.advance(HOUR);
        payouts.insert(0, stage.requested(&campaign, &stage.first, &number.to_string()).await);
    }
    does(
        &stage,
        &stage.first,
        &format!("{}/cancel", path(&payouts[1])),
        json!({}),
    )
    .await;
    let ids: Vec<&str> = payouts.iter().map(|payout| payout["id"].as_str().unwrap()).collect();
    let found = async |who: &Person, query: &str, limit: usize| -> Vec<String> {
        let path = format!("{LIST}{query}");
        let all = stage.api.pages_as(who, &path, "payouts", limit).await;
        let ids = all.iter().map(|payout| payout["id"].as_str().unwrap().to_owned());
        ids.collect()
    };
    for limit in [1, 2, 5, 6] {
        assert_eq!(found(&stage.first, "", limit).await, ids, "{limit}");
    }
    let open = [ids[0], ids[2], ids[3], ids[4]];
    assert_eq!(found(&stage.sponsor, "?status=requested", 2).await, open);
    assert_eq!(found(&stage.admin, "?status=cancelled", 2).await, [ids[1]]);
    let here = format!("?campaign_id={}", id(&campaign));
    assert_eq!(found(&stage.admin, &here, 9).await, ids);
    let elsewhere = format!("?campaign_id={}", stage.first.id);
    assert_eq!(found(&stage.admin, &elsewhere, 9).await, [""; 0]);
    for (query, code) in [
        ("status=missing", "invalid_query"),
        ("status=paid", "invalid_query"),
        ("campaign_id=1", "invalid_id"),
        ("creator_id=1", "invalid_query"),
        ("limit=501", "invalid_limit"),
        ("cursor=772f312f31", "invalid_cursor"),
    ] {
        let path = format!("{LIST}?{query}");
        stage.api.unread_as(&stage.admin, &path, (400, code)).await;
    }
}

#[tokio::test]
async fn payouts_of_others_are_as_if_they_were_not_there() {
    let (stage, campaign) = earned().await;
    let payout = stage.requested(&campaign, &stage.first, "1").await;
    for who in [&stage.second, &stage.rival] {
        stage.api.unread_as(who, &path(&payout), (404, "unknown_payout")).await;
        assert_eq!(stage.api.read_as(who, LIST).await, json!({"payouts": []}));
    }
    let analyst = &stage.lookers()[2];
    stage.api.unread_as(analyst, LIST, (403, "forbidden")).await;
    stage.api.unread_as(analyst, &path(&payout), (403, "forbidden")).await;
    let nothing = format!("{LIST}/{}", stage.first.id);
    stage
        .api
        .unread_as(&stage.admin, &nothing, (404, "unknown_payout"))
        .await;
    stage
        .api
        .unread_as(&stage.admin, "/v1/payouts/1", (400, "invalid_id"))
        .await;
}
