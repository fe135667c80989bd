//! Opening, looking at, freezing and closing accounts, and closing periods.

use crate::support::Api;
use serde_json::json;

#[tokio::test]
async fn an_account_is_opened_with_defaults_and_seen() {
    let api = Api::new().await;
    let opened = api
        .post("/v1/ledger/accounts", json!({"account": "shop:1", "asset": "USD"}))
        .await;
    assert_eq!(opened.status, 201);
    assert_eq!(opened.header("location"), Some("/v1/ledger/accounts/shop:1"));
    assert_eq!(opened.header("viral-position"), Some("1"));
    assert_eq!(opened.header("idempotent-replayed"), None);
    let body = json!({
        "account": "shop:1", "asset": "USD", "normal_side": "credit", "may_go_negative": false,
        "position": "1", "recorded_at": api.now(), "actor": "operator",
    });
    assert_eq!(opened.json(), body);
    let seen = json!({
        "account": "shop:1", "asset": "USD", "normal_side": "credit", "may_go_negative": false, "frozen": false,
        "closed": false, "debits": "0.00", "credits": "0.00", "balance": "0.00", "held": "0.00",
        "available": "0.00", "position": "1",
    });
    assert_eq!(api.get_json("/v1/ledger/accounts/shop:1").await, seen);
}

#[tokio::test]
async fn an_account_can_be_a_debit_account_that_may_go_negative() {
    let api = Api::new().await;
    let body = json!({"account": "vault", "asset": "JPY", "normal_side": "debit", "may_go_negative": true});
    let opened = api.post("/v1/ledger/accounts", body).await.json();
    assert_eq!(
        (&opened["normal_side"], &opened["may_go_negative"]),
        (&json!("debit"), &json!(true))
    );
    let balance = api.get_json("/v1/ledger/accounts/vault/balance").await;
    let expected = json!({
        "account": "vault", "asset": "JPY", "normal_side": "debit", "debits": "0", "credits": "0", "balance": "0",
        "held": "0", "available": "0", "position": "1",
    });
    assert_eq!(balance, expected);
}

#[tokio::test]
async fn accounts_are_frozen_unfrozen_and_closed() {
    let api = Api::with_money().await;
    let change = |verb: &str| format!("/v1/ledger/accounts/bob/{verb}");
    let frozen = api.post(&change("freeze"), json!({"reason": "under review"})).await;
    assert_eq!(frozen.status, 200);
    let body = json!({
        "account": "bob", "status": "frozen", "reason": "under review", "position": "6", "recorded_at": api.now(),
        "actor": "operator",
    });
    assert_eq!(frozen.json(), body);
    assert_eq!(api.get_json("/v1/ledger/accounts/bob").await["frozen"], true);
    assert_eq!(
        api.transfer("alice", "bob", "1").await.problem(),
        (422, "account_frozen".to_owned())
    );
    assert_eq!(
        api.post(&change("freeze"), json!({})).await.problem(),
        (422, "account_frozen".to_owned())
    );

    assert_eq!(api.post(&change("unfreeze"), json!({})).await.json()["status"], "open");
    assert_eq!(
        api.post(&change("unfreeze"), json!({})).await.problem().1,
        "account_not_frozen"
    );

    // Without a body and without a content type, as `curl -X POST` sends it.
    assert_eq!(
        api.post_with_key(&change("close"), "close", "").await.json()["status"],
        "closed"
    );
    assert_eq!(api.get_json("/v1/ledger/accounts/bob").await["closed"], true);
    assert_eq!(api.transfer("alice", "bob", "1").await.problem().1, "account_closed");
    let of_alice = api.post("/v1/ledger/accounts/alice/close", json!({})).await;
    assert_eq!(of_alice.problem(), (422, "account_not_empty".to_owned()));
}

#[tokio::test]
async fn what_is_not_there_is_404_in_the_path() {
    let api = Api::with_money().await;
    let unknown = (404, "unknown_account".to_owned());
    assert_eq!(api.get("/v1/ledger/accounts/nobody").await.problem(), unknown);
    assert_eq!(api.get("/v1/ledger/accounts/nobody/balance").await.problem(), unknown);
    assert_eq!(
        api.get("/v1/ledger/accounts/nobody/balance?as_of=1").await.problem(),
        unknown
    );
    for verb in ["freeze", "unfreeze", "close"] {
        let answer = api.post(&format!("/v1/ledger/accounts/nobody/{verb}"), json!({})).await;
        assert_eq!(answer.problem(), unknown, "{verb}");
    }
}

#[tokio::test]
async fn a_period_is_closed_once_and_only_forward() {
    let api = Api::with_money().await;
    let close = |through: &'static str| api.post("/v1/ledger/periods/close", json!({"through": through}));
    let closed = close("2026-01-31").await;
    assert_eq!(closed.status, 200);
    assert_eq!(
        (&closed.json()["through"], &closed.json()["position"]),
        (&json!("2026-01-31"), &json!("6"))
    );
    assert_eq!(
        close("2026-01-30").await.problem(),
        (422, "period_not_forward".to_owned())
    );
    assert_eq!(close("2026-03-01").await.problem(), (422, "period_not_over".to_owned()));
    let mut posting = json!({"postings": [{"debit": "alice", "credit": "bob", "amount": "1", "asset": "USD"}]});
    posting["effective_at"] = json!("2026-01-31T23:59:59Z");
    let late = api.post("/v1/ledger/transactions", posting.clone()).await;
    assert_eq!(late.problem(), (422, "period_closed".to_owned()));
    assert_eq!(late.json()["through"], "2026-01-31");
    posting["effective_at"] = json!("2026-02-01T00:00:00Z");
    assert_eq!(api.post("/v1/ledger/transactions", posting).await.status, 201);
}
