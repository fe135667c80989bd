//! The money of campaigns: funding and closing them, and trying that out.

use crate::campaigns::body;
use crate::stage::{Stage, id};
use serde_json::json;

const POST: &str = "POST";

#[tokio::test]
async fn a_campaign_is_funded_up_to_its_budget() {
    let stage = Stage::new().await;
    let path = stage.draft().await;
    let (fund, amount) = (format!("{path}/fund"), |amount: &str| json!({"amount_vcoin": amount}));
    let poor = (422, "insufficient_funds");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &fund, &amount("1"), poor)
        .await;
    stage
        .api
        .refused_as(
            &stage.sponsor,
            POST,
            &format!("{fund}?dry_run=true"),
            &amount("1"),
            poor,
        )
        .await;
    stage.buys("200").await;
    for part in ["4000.5", "5000"] {
        let answer = stage.api.must_as(&stage.sponsor, POST, &fund, &amount(part), 201).await;
        let transaction = answer["transaction_id"].as_str().unwrap().to_owned();
        let posted = stage
            .api
            .get_json(&format!("/v1/ledger/transactions/{transaction}"))
            .await;
        let escrow = format!("campaign:{}:escrow", id(&path));
        let moved = &posted["postings"][0];
        assert_eq!((&posted["code"], &moved["credit"]), (&json!("fund"), &json!(escrow)));
        assert_eq!(moved["debit"], format!("user:{}:wallet", stage.sponsor.id));
        assert_eq!(moved["amount"], answer["amount_vcoin"]);
        let expected = json!({"id": id(&path), "amount_vcoin": moved["amount"], "transaction_id": transaction});
        assert_eq!(body(answer), expected);
    }
    for (text, why) in [
        (amount("999.5001"), (422, "budget_exceeded")),
        (amount("0"), (422, "amount_not_positive")),
        (amount("-1"), (422, "amount_not_positive")),
        (amount("0.00001"), (400, "too_many_digits")),
        (json!({"amount_vcoin": 1}), (400, "invalid_amount")),
        (json!({}), (400, "invalid_body")),
        (json!({"amount_vcoin": "1", "dry_run": true}), (400, "invalid_body")),
    ] {
        stage.api.refused_as(&stage.sponsor, POST, &fund, &text, why).await;
        stage
            .api
            .refused_as(&stage.sponsor, POST, &format!("{fund}?dry_run=true"), &text, why)
            .await;
    }
    stage
        .api
        .must_as(&stage.sponsor, POST, &fund, &amount("999.5"), 201)
        .await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_nothing_does() {
    let stage = Stage::new().await;
    stage.buys("200").await;
    let path = stage.draft().await;
    let head = stage.api.head().await;
    let (fund, close) = (
        format!("{path}/fund?dry_run=true"),
        format!("{path}/close?dry_run=true"),
    );
    let amount = json!({"amount_vcoin": "20"}).to_string();
    // The key is used for something else afterwards: a dry run leaves it fresh.
    for _ in 0..2 {
        let tried = stage.api.write_as(&stage.sponsor, POST, &fund, "k", &amount).await;
        assert_eq!(tried.status, 200, "{tried:?}");
        assert_eq!(
            tried.json(),
            json!({"id": id(&path), "amount_vcoin": "20.0000", "dry_run": true})
        );
    }
    let tried = stage.api.write_as(&stage.sponsor, POST, &close, "k", "").await;
    let closed = json!({"id": id(&path), "status": "closed", "returned_vcoin": "0.0000", "dry_run": true});
    assert_eq!((tried.status, tried.json()), (200, closed));
    assert_eq!(stage.api.head().await, head);
    let (dry_fund, fund) = (fund, format!("{path}/fund?dry_run=false"));
    let funded = stage.api.write_as(&stage.sponsor, POST, &fund, "k", &amount).await;
    assert_eq!(funded.status, 201, "{funded:?}");
    // Now the key is used: a dry run says what the real call would say.
    let tried = stage.api.write_as(&stage.sponsor, POST, &close, "k", "").await;
    assert_eq!(
        (tried.status, &tried.json()["code"]),
        (409, &json!("idempotency_key_reused")),
        "{tried:?}"
    );
    let tried = stage.api.write_as(&stage.sponsor, POST, &dry_fund, "k", &amount).await;
    assert_eq!(
        (tried.status, tried.header("idempotent-replayed")),
        (200, Some("true")),
        "{tried:?}"
    );
    assert_eq!(tried.json()["amount_vcoin"], "20.0000");
    let tried = stage.api.write_as(&stage.sponsor, POST, &close, "l", "").await;
    assert_eq!(tried.json()["returned_vcoin"], "20.0000");
    for query in ["dry_run=yes", "dry_run=", "dry=true", "dry_run=true&dry_run=true"] {
        let path = format!("{path}/fund?{query}");
        let why = (400, "invalid_query");
        stage
            .api
            .refused_as(&stage.sponsor, POST, &path, &json!({"amount_vcoin": "20"}), why)
            .await;
    }
}

#[tokio::test]
async fn closing_returns_what_is_not_held() {
    let stage = Stage::new().await;
    let (path, mission) = stage.published(2).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    let close = format!("{path}/close");
    let tried = stage
        .api
        .write_as(&stage.sponsor, POST, &format!("{close}?dry_run=true"), "t", "")
        .await;
    assert_eq!(
        tried.json(),
        json!({"id": id(&path), "status": "closing", "returned_vcoin": "4500.0000", "dry_run": true})
    );
    let answer = stage.api.must_as(&stage.admin, POST, &close, &json!({}), 200).await;
    let transaction = answer["transaction_id"].clone();
    assert!(transaction.is_string(), "{answer}");
    let expected =
        json!({"id": id(&path), "status": "closing", "returned_vcoin": "4500.0000", "transaction_id": transaction});
    assert_eq!(body(answer), expected);
    let closing = (409, "campaign_wrong_status");
    for call in [
        &close,
        &format!("{close}?dry_run=true"),
        &format!("{path}/publish"),
        &format!("{path}/pause"),
    ] {
        stage
            .api
            .refused_as(&stage.sponsor, POST, call, &json!({}), closing)
            .await;
    }
    let fund = json!({"amount_vcoin": "1"});
    stage
        .api
        .refused_as(&stage.sponsor, POST, &format!("{path}/fund"), &fund, closing)
        .await;
    let missions = format!("{path}/missions");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &missions, &stage.mission(1), closing)
        .await;
    // The last work closes it: nothing is left in its escrow.
    let approved = stage
        .does("review", &assignment, json!({"verdict": "approve"}), 200)
        .await;
    assert_eq!(approved["campaign_status"], "closed");
    assert_eq!(
        stage.api.balance(&format!("campaign:{}:escrow", id(&path))).await,
        "0.0000"
    );
    stage
        .api
        .refused_as(&stage.sponsor, POST, &close, &json!({}), closing)
        .await;
}

#[tokio::test]
async fn a_draft_without_money_closes_at_once() {
    let stage = Stage::new().await;
    let path = stage.draft().await;
    let answer = stage
        .api
        .must_as(&stage.sponsor, POST, &format!("{path}/close"), &json!({}), 200)
        .await;
    assert_eq!(
        body(answer),
        json!({"id": id(&path), "status": "closed", "returned_vcoin": "0.0000"})
    );
}
