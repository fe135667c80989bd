//! Posting transactions and finding them again.

use crate::support::Api;
use serde_json::json;

#[tokio::test]
async fn a_transfer_moves_money_and_is_found_again() {
    let api = Api::with_money().await;
    let body = json!({
        "code": "purchase",
        "description": "two books",
        "effective_at": "2026-02-27T10:00:00+01:00",
        "metadata": {"order": "4711"},
        "reference": {"type": "order", "id": "4711"},
        "postings": [
            {"debit": "alice", "credit": "bob", "amount": "12.5", "asset": "USD"},
            {"debit": "alice", "credit": "bank", "amount": "0.50", "asset": "USD"},
        ],
    });
    let posted = api.post("/v1/ledger/transactions", body).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let expected = json!({
        "id": posted.id(),
        "position": "6",
        "recorded_at": api.now(),
        "actor": "operator",
        "code": "purchase",
        "description": "two books",
        "effective_at": "2026-02-27T09:00:00.000000Z",
        "metadata": {"order": "4711"},
        "reference": {"type": "order", "id": "4711"},
        "postings": [
            {"debit": "alice", "credit": "bob", "amount": "12.50", "asset": "USD"},
            {"debit": "alice", "credit": "bank", "amount": "0.50", "asset": "USD"},
        ],
    });
    assert_eq!(posted.json(), expected);
    let path = format!("/v1/ledger/transactions/{}", posted.id());
    assert_eq!(posted.header("location"), Some(path.as_str()));
    assert_eq!(api.get(&path).await.text, posted.text);
    assert_eq!(api.balance("alice").await, "87.00");
    assert_eq!(api.balance("bob").await, "12.50");
    assert_eq!(api.balance("bank").await, "-99.50");
}

#[tokio::test]
async fn code_and_effective_time_have_defaults() {
    let api = Api::with_money().await;
    let posted = api.transfer("alice", "bob", "1").await.json();
    assert_eq!(
        (&posted["code"], &posted["effective_at"]),
        (&json!("transfer"), &json!(api.now()))
    );
}

#[tokio::test]
async fn the_request_id_becomes_the_correlation_id() {
    use viral_store::{EventStore, Position};
    let api = Api::with_money().await;
    let answer = api.transfer("alice", "bob", "1").await;
    let event = api.store.read_after(Position(5), 1).await.unwrap().pop().unwrap();
    let metadata = event.parse_metadata().unwrap();
    assert_eq!(metadata.correlation_id.as_deref(), answer.header("x-request-id"));
    assert_eq!(metadata.actor.as_deref(), Some("operator"));
}

#[tokio::test]
async fn the_list_is_in_the_order_of_the_log_and_can_be_filtered() {
    let api = Api::with_money().await;
    for (to, code) in [("bob", "gift"), ("bank", "fee"), ("bob", "fee")] {
        let posting = json!({"debit": "alice", "credit": to, "amount": "1", "asset": "USD"});
        api.post("/v1/ledger/transactions", json!({"code": code, "postings": [posting]}))
            .await;
    }
    let positions = async |query: &str| -> Vec<String> {
        let list = api.get_json(&format!("/v1/ledger/transactions{query}")).await;
        assert_eq!(list.get("next_cursor"), None, "{list}");
        let transactions = list["transactions"].as_array().unwrap();
        transactions
            .iter()
            .map(|t| t["position"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(positions("").await, ["5", "6", "7", "8"]);
    assert_eq!(positions("?account=bob").await, ["6", "8"]);
    assert_eq!(positions("?code=fee").await, ["7", "8"]);
    assert_eq!(positions("?code=fee&account=bob").await, ["8"]);
    assert_eq!(positions("?account=nobody").await, [] as [&str; 0]);
}

#[tokio::test]
async fn only_transactions_are_found_as_transactions() {
    let api = Api::with_money().await;
    let unknown = (404, "unknown_transaction".to_owned());
    let nothing = "/v1/ledger/transactions/0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
    assert_eq!(api.get(nothing).await.problem(), unknown);
    let hold = api
        .post(
            "/v1/ledger/holds",
            json!({"account": "alice", "amount": "1", "asset": "USD"}),
        )
        .await;
    assert_eq!(
        api.get(&format!("/v1/ledger/transactions/{}", hold.id()))
            .await
            .problem(),
        unknown
    );
}
