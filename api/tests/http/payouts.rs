//! Payouts: asking for them, approving, rejecting and cancelling them.

use crate::campaigns::body;
use crate::people::Person;
use crate::stage::{Stage, id};
use crate::support::Api;
use serde_json::{Value, json};
use uuid::Uuid;
use viral_api::Role;

const REQUEST: &str = "/v1/wallets/payout";

/// A stage whose first creator has earned 475 V-Coin in the campaign at the path.
pub(crate) async fn earned() -> (Stage, String) {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    stage.approved(&mission, &stage.first).await;
    (stage, campaign)
}

fn path(payout: &Value, what: &str) -> String {
    format!("/v1/payouts/{}/{what}", payout["id"].as_str().unwrap())
}

fn approval(payout: &Value) -> Value {
    json!({"digest": payout["digest"]})
}

/// A payout that was asked for, approved and sent.
pub(crate) async fn under_way(stage: &Stage, campaign: &str, amount: &str) -> Value {
    let payout = stage.requested(campaign, &stage.first, amount).await;
    let answer = stage
        .api
        .post_as(&stage.sponsor, &path(&payout, "approve"), approval(&payout))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    stage.sent(&payout).await;
    payout
}

pub(crate) async fn balances(api: &Api, stage: &Stage, payout: &Value) -> [String; 2] {
    let pending = format!("payout:{}:pending", payout["id"].as_str().unwrap());
    [
        api.balance(&format!("user:{}:wallet", stage.first.id)).await,
        api.balance(&pending).await,
    ]
}

#[tokio::test]
async fn a_creator_asks_for_what_was_earned() {
    let (stage, campaign) = earned().await;
    let request = json!({"campaign_id": id(&campaign), "amount_vcoin": "75.5"});
    let mut asked = stage.api.must_as(&stage.first, "POST", REQUEST, &request, 201).await;
    assert_eq!(balances(&stage.api, &stage, &asked).await, ["399.5000", "75.5000"]);
    let payout = asked["id"].as_str().unwrap().to_owned();
    let lines = format!(
        "viral payout 1\npayout={payout}\npayee={}\ncampaign={}\namount=75.5000 VCOIN\nfiat=0.75 USD\n",
        stage.first.id,
        id(&campaign)
    );
    let transaction = asked.as_object_mut().unwrap().remove("transaction_id").unwrap();
    let posted = stage
        .api
        .get_json(&format!("/v1/ledger/transactions/{}", transaction.as_str().unwrap()))
        .await;
    assert_eq!(posted["reference"], json!({"type": "payout", "id": payout}));
    let expected = json!({
        "id": payout, "status": "requested", "held": false, "campaign_id": id(&campaign),
        "creator_id": stage.first.id.to_string(), "sponsor_id": stage.sponsor.id.to_string(),
        "amount_vcoin": "75.5000", "fiat": {"amount": "0.75", "asset": "USD"}, "rate": "0.01",
        "digest": hex_of_sha256(&lines), "needs_admin": false,
    });
    assert_eq!(body(asked), expected);
    let again = stage.api.post_as(&stage.first, REQUEST, request).await;
    let location = format!("/v1/payouts/{}", again.id());
    assert_eq!(again.header("location"), Some(location.as_str()));
}

fn hex_of_sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(text))
}

#[tokio::test]
async fn what_cannot_be_asked_for() {
    let (stage, campaign) = earned().await;
    let campaign = id(&campaign);
    let with = |campaign: &str, amount: Value| json!({"campaign_id": campaign, "amount_vcoin": amount});
    let nobody = Uuid::nil().to_string();
    for (request, why) in [
        (with(campaign, json!("475.0001")), (422, "payout_exceeds_earnings")),
        (with(campaign, json!("0")), (422, "amount_not_positive")),
        (with(campaign, json!("-1")), (422, "amount_not_positive")),
        (with(campaign, json!("0.9999")), (422, "payout_too_small")),
        (with(campaign, json!("1.00001")), (400, "too_many_digits")),
        (with(campaign, json!(1)), (400, "invalid_amount")),
        (with(&nobody, json!("1")), (422, "unknown_campaign")),
        (with("campaign", json!("1")), (400, "invalid_id")),
        (
            json!({"campaign_id": campaign, "amount_vcoin": "1", "to": "me"}),
            (400, "invalid_body"),
        ),
        (json!({"campaign_id": campaign}), (400, "invalid_body")),
    ] {
        stage.api.refused_as(&stage.first, "POST", REQUEST, &request, why).await;
    }
    let request = with(campaign, json!("1"));
    let stranger = stage.api.stranger(Role::Creator);
    for (who, why) in [
        (&stage.second, (422, "payout_exceeds_earnings")),
        (&stranger, (403, "not_a_creator")),
        (&stage.sponsor, (403, "forbidden")),
        (&stage.admin, (403, "forbidden")),
    ] {
        stage.api.refused_as(who, "POST", REQUEST, &request, why).await;
    }
}

#[tokio::test]
async fn a_sponsor_approves_what_the_digest_says() {
    let (stage, campaign) = earned().await;
    let payout = stage.requested(&campaign, &stage.first, "100").await;
    let path = path(&payout, "approve");
    let approval = approval(&payout);
    let wrong = json!({"digest": "0".repeat(64)});
    let with_totp = json!({"digest": payout["digest"], "totp": "123456"});
    for (who, approval, why) in [
        (&stage.rival, &approval, (404, "unknown_payout")),
        (&stage.first, &approval, (403, "forbidden")),
        (&stage.admin, &approval, (409, "payout_wrong_status")),
        (&stage.sponsor, &wrong, (409, "digest_mismatch")),
        (&stage.sponsor, &json!({}), (400, "invalid_body")),
        (&stage.sponsor, &with_totp, (403, "second_factor_not_enrolled")),
    ] {
        stage.api.refused_as(who, "POST", &path, approval, why).await;
    }
    let approved = stage.api.must_as(&stage.sponsor, "POST", &path, &approval, 200).await;
    let expected = json!({"id": payout["id"], "status": "approved", "digest": payout["digest"]});
    assert_eq!(body(approved), expected);
    let twice = (409, "payout_wrong_status");
    stage
        .api
        .refused_as(&stage.sponsor, "POST", &path, &approval, twice)
        .await;
    let nothing = format!("/v1/payouts/{}/approve", Uuid::nil());
    let unknown = (404, "unknown_payout");
    stage
        .api
        .refused_as(&stage.sponsor, "POST", &nothing, &approval, unknown)
        .await;
    stage
        .api
        .refused_as(
            &stage.sponsor,
            "POST",
            "/v1/payouts/1/approve",
            &approval,
            (400, "invalid_id"),
        )
        .await;
}

#[tokio::test]
async fn above_the_limit_an_admin_approves_too() {
    let stage = Stage::new().await;
    stage.buys("200").await;
    let campaign = stage.draft().await;
    let mut mission = stage.mission(1);
    mission["reward_vcoin"] = "2000".into();
    let answer = stage
        .api
        .post_as(&stage.sponsor, &format!("{campaign}/missions"), mission)
        .await;
    let mission = answer.header("location").unwrap().to_owned();
    stage
        .does("fund", &campaign, json!({"amount_vcoin": "5000"}), 201)
        .await;
    stage.does("publish", &campaign, json!({}), 200).await;
    stage.approved(&mission, &stage.first).await;

    let payout = stage.requested(&campaign, &stage.first, "1000.0001").await;
    assert_eq!(payout["needs_admin"], true);
    let (path, approval) = (path(&payout, "approve"), approval(&payout));
    for (who, status) in [(&stage.sponsor, "sponsor_approved"), (&stage.admin, "approved")] {
        let approved = stage.api.must_as(who, "POST", &path, &approval, 200).await;
        assert_eq!(approved["status"], status);
        assert_eq!(approved["digest"], payout["digest"]);
    }
    assert_eq!(
        stage.requested(&campaign, &stage.first, "1").await["needs_admin"],
        false
    );
}

#[tokio::test]
async fn elsewhere_an_approval_needs_a_second_factor() {
    let stage = Stage::on(Api::with_tokens().await).await;
    let (campaign, mission) = stage.published(1).await;
    stage.approved(&mission, &stage.first).await;
    let payout = stage.requested(&campaign, &stage.first, "100").await;
    let path = path(&payout, "approve");
    let with_totp = json!({"digest": payout["digest"], "totp": "123456"});
    for (approval, why) in [
        (approval(&payout), (403, "second_factor_required")),
        (with_totp, (403, "second_factor_not_enrolled")),
    ] {
        stage
            .api
            .refused_as(&stage.sponsor, "POST", &path, &approval, why)
            .await;
    }
    // What is not the caller's business is not there, with or without a password.
    let unknown = (404, "unknown_payout");
    stage
        .api
        .refused_as(&stage.rival, "POST", &path, &approval(&payout), unknown)
        .await;
}

#[tokio::test]
async fn a_payout_is_rejected_or_cancelled_before_it_is_sent() {
    let (stage, campaign) = earned().await;
    let because = json!({"reason": "not agreed"});
    let table: [(&str, &Person, &Value, &str); 4] = [
        ("reject", &stage.sponsor, &because, "rejected"),
        ("reject", &stage.admin, &because, "rejected"),
        ("cancel", &stage.first, &because, "cancelled"),
        ("cancel", &stage.first, &json!({}), "cancelled"),
    ];
    for (verb, who, why, status) in table {
        let payout = stage.requested(&campaign, &stage.first, "100").await;
        let path = path(&payout, verb);
        let ended = stage.api.must_as(who, "POST", &path, why, 200).await;
        assert_eq!(balances(&stage.api, &stage, &payout).await, ["475.0000", "0.0000"]);
        let mut expected = json!({"id": payout["id"], "status": status, "amount_vcoin": "100.0000",
            "transaction_id": ended["transaction_id"]});
        if let Some(reason) = why.get("reason") {
            expected["reason"] = reason.clone();
        }
        let transaction = format!("/v1/ledger/transactions/{}", ended["transaction_id"].as_str().unwrap());
        assert_eq!(stage.api.get_json(&transaction).await["code"], "payout_return");
        assert_eq!(body(ended), expected);
        let over = (409, "payout_wrong_status");
        stage.api.refused_as(who, "POST", &path, why, over).await;
    }
}

#[tokio::test]
async fn who_cannot_end_a_payout() {
    let (stage, campaign) = earned().await;
    let payout = stage.requested(&campaign, &stage.first, "100").await;
    let because = json!({"reason": "not agreed"});
    let (reject, cancel) = (path(&payout, "reject"), path(&payout, "cancel"));
    for (path, who, body, why) in [
        (&reject, &stage.rival, &because, (404, "unknown_payout")),
        (&reject, &stage.first, &because, (403, "forbidden")),
        (&reject, &stage.sponsor, &json!({}), (400, "invalid_body")),
        (&reject, &stage.sponsor, &json!({"reason": ""}), (422, "invalid_text")),
        (&cancel, &stage.second, &because, (404, "unknown_payout")),
        (&cancel, &stage.sponsor, &because, (403, "forbidden")),
        (&cancel, &stage.first, &json!({"because": "so"}), (400, "invalid_body")),
        (&cancel, &stage.first, &json!({"reason": "a\nb"}), (422, "invalid_text")),
    ] {
        stage.api.refused_as(who, "POST", path, body, why).await;
    }
    let payout = under_way(&stage, &campaign, "100").await;
    let late = (409, "payout_wrong_status");
    for (path, who) in [
        (path(&payout, "reject"), &stage.admin),
        (path(&payout, "cancel"), &stage.first),
    ] {
        stage.api.refused_as(who, "POST", &path, &because, late).await;
    }
}
