//! Reversals: the mirror image of a transaction, once.

use crate::support::Api;
use serde_json::json;
use std::str::FromStr;
use uuid::Uuid;
use viral_ledger::ids;

#[tokio::test]
async fn a_transaction_is_reversed_once() {
    let api = Api::with_money().await;
    let original = api.transfer("alice", "bob", "30").await.id();
    let path = format!("/v1/ledger/transactions/{original}/reverse");
    let reversed = api.post_with_key(&path, "undo", r#"{"reason":"by mistake"}"#).await;
    assert_eq!(reversed.status, 201, "{reversed:?}");
    let id = ids::reversal_of(Uuid::from_str(&original).unwrap());
    let body = json!({
        "id": id, "code": "reversal", "description": "by mistake", "reverses": original, "position": "8",
        "recorded_at": api.now(), "effective_at": api.now(), "actor": "operator",
        "postings": [{"debit": "bob", "credit": "alice", "amount": "30.00", "asset": "USD"}],
    });
    assert_eq!(reversed.json(), body);
    assert_eq!(reversed.header("viral-position"), Some("8"));
    assert_eq!(api.balance("alice").await, "100.00");
    assert_eq!(
        api.get(&format!("/v1/ledger/transactions/{id}")).await.text,
        reversed.text
    );

    let again = api.post_with_key(&path, "undo", r#"{"reason":"by mistake"}"#).await;
    assert_eq!((again.status, &again.text), (201, &reversed.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("viral-position"), Some("8"));

    let head = api.head().await;
    assert_eq!(
        api.post(&path, json!({})).await.problem(),
        (409, "already_reversed".to_owned())
    );
    let of_reversal = api
        .post(&format!("/v1/ledger/transactions/{id}/reverse"), json!({}))
        .await;
    assert_eq!(of_reversal.problem(), (422, "reversal_of_reversal".to_owned()));
    assert_eq!(api.head().await, head);
}

#[tokio::test]
async fn two_at_the_same_time_reverse_once() {
    let api = Api::with_money().await;
    let original = api.transfer("alice", "bob", "30").await.id();
    let path = format!("/v1/ledger/transactions/{original}/reverse");
    let (one, two) = tokio::join!(api.post(&path, json!({})), api.post(&path, json!({})));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    assert_eq!(api.balance("bob").await, "0.00");
}

#[tokio::test]
async fn a_reversal_that_the_ledger_refuses_writes_nothing_and_can_be_tried_again() {
    let api = Api::with_money().await;
    let original = api.transfer("alice", "bob", "30").await.id();
    api.transfer("bob", "alice", "10").await;
    let head = api.head().await;
    let path = format!("/v1/ledger/transactions/{original}/reverse");
    let refused = api.post_with_key(&path, "undo", "{}").await;
    assert_eq!(refused.problem(), (422, "insufficient_funds".to_owned()));
    assert_eq!(api.head().await, head);
    api.transfer("alice", "bob", "10").await;
    assert_eq!(api.post_with_key(&path, "undo", "{}").await.status, 201);
}

#[tokio::test]
async fn only_transactions_are_reversed() {
    let api = Api::with_money().await;
    let hold = api
        .post(
            "/v1/ledger/holds",
            json!({"account": "alice", "amount": "1", "asset": "USD"}),
        )
        .await
        .id();
    for id in ["0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", &hold] {
        let answer = api
            .post(&format!("/v1/ledger/transactions/{id}/reverse"), json!({}))
            .await;
        assert_eq!(answer.problem(), (404, "unknown_transaction".to_owned()));
    }
}
