//! What became of attempts to pay, as an admin reports it.

use crate::campaigns::body;
use crate::payouts::{balances, earned, under_way};
use serde_json::{Value, json};
use uuid::Uuid;

fn outcome(payout: &Value) -> String {
    format!("/v1/admin/payouts/{}/outcome", payout["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_payout_that_was_sent_is_settled() {
    let (stage, campaign) = earned().await;
    for (report, reference) in [
        (
            json!({"outcome": "settled", "provider_reference": "po_1"}),
            Some("po_1"),
        ),
        (json!({"outcome": "settled"}), None),
    ] {
        let payout = under_way(&stage, &campaign, "100").await;
        let settled = stage
            .api
            .must_as(&stage.admin, "POST", &outcome(&payout), &report, 200)
            .await;
        let mut expected = json!({"id": payout["id"], "status": "settled", "attempt": 1, "amount_vcoin": "100.0000",
            "fiat": {"amount": "1.00", "asset": "USD"}, "transaction_id": settled["transaction_id"]});
        if let Some(reference) = reference {
            expected["provider_reference"] = reference.into();
        }
        assert_eq!(body(settled), expected);
        let over = (409, "payout_wrong_status");
        stage
            .api
            .refused_as(&stage.admin, "POST", &outcome(&payout), &report, over)
            .await;
    }
    assert_eq!(stage.api.balance("platform:usd:backing").await, "198.00");
}

#[tokio::test]
async fn attempts_fail_and_vanish() {
    let (stage, campaign) = earned().await;
    let api = &stage.api;
    let payout = under_way(&stage, &campaign, "100").await;
    let path = outcome(&payout);
    let said = |outcome: &str| json!({"outcome": outcome, "reason": "the bank\nsaid so"});
    let attempted = |status: &str, attempt: u32| json!({"id": payout["id"], "status": status, "attempt": attempt, "reason": "the bank\nsaid so"});
    let unknown = api.must_as(&stage.admin, "POST", &path, &said("unknown"), 200).await;
    assert_eq!(body(unknown), attempted("unknown", 1));
    let again = (409, "payout_wrong_status");
    api.refused_as(&stage.admin, "POST", &path, &said("unknown"), again)
        .await;
    for attempt in 1..=3 {
        let failed = api.must_as(&stage.admin, "POST", &path, &said("failed"), 200).await;
        if attempt < 3 {
            assert_eq!(body(failed), attempted("approved", attempt));
            stage.sent(&payout).await;
            continue;
        }
        let mut expected = attempted("failed", attempt);
        expected["amount_vcoin"] = "100.0000".into();
        expected["transaction_id"] = failed["transaction_id"].clone();
        assert!(failed["transaction_id"].is_string(), "{failed}");
        assert_eq!(body(failed), expected);
    }
    assert_eq!(balances(api, &stage, &payout).await, ["475.0000", "0.0000"]);

    let payout = under_way(&stage, &campaign, "100").await;
    let last = json!({"outcome": "failed", "final": true});
    let failed = api.must_as(&stage.admin, "POST", &outcome(&payout), &last, 200).await;
    assert_eq!((&failed["status"], failed.get("reason")), (&json!("failed"), None));
    assert_eq!(balances(api, &stage, &payout).await, ["475.0000", "0.0000"]);
}

#[tokio::test]
async fn what_is_no_outcome() {
    let (stage, campaign) = earned().await;
    let payout = stage.requested(&campaign, &stage.first, "100").await;
    let path = outcome(&payout);
    let settled = json!({"outcome": "settled"});
    let nothing = format!("/v1/admin/payouts/{}/outcome", Uuid::nil());
    for (path, report, why) in [
        (&path, &settled, (409, "payout_wrong_status")),
        (&path, &json!({}), (400, "invalid_body")),
        (&path, &json!({"outcome": "paid"}), (400, "invalid_body")),
        (
            &path,
            &json!({"outcome": "settled", "final": true}),
            (400, "invalid_body"),
        ),
        (
            &path,
            &json!({"outcome": "failed", "final": "yes"}),
            (400, "invalid_body"),
        ),
        (
            &path,
            &json!({"outcome": "unknown", "provider_reference": "po"}),
            (400, "invalid_body"),
        ),
        (&nothing, &settled, (404, "unknown_payout")),
    ] {
        stage.api.refused_as(&stage.admin, "POST", path, report, why).await;
    }
    let forbidden = (403, "forbidden");
    stage
        .api
        .refused_as(&stage.sponsor, "POST", &path, &settled, forbidden)
        .await;
    let payout = under_way(&stage, &campaign, "100").await;
    let long = json!({"outcome": "settled", "provider_reference": "x".repeat(201)});
    let invalid = (422, "invalid_text");
    stage
        .api
        .refused_as(&stage.admin, "POST", &outcome(&payout), &long, invalid)
        .await;
}
