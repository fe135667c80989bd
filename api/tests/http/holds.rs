//! Holds: placed, captured, voided, each resolved once.

use crate::support::Api;
use serde_json::json;
use std::time::Duration;

const HOLDS: &str = "/v1/ledger/holds";

#[tokio::test]
async fn a_hold_lowers_what_can_be_spent_and_its_capture_releases_the_rest() {
    let api = Api::with_money().await;
    let body = json!({
        "account": "alice", "amount": "60", "asset": "USD", "expires_at": "2026-03-02T00:00:00Z",
        "reference": {"type": "order", "id": "1"},
    });
    let placed = api.post(HOLDS, body).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    let (id, path) = (placed.id(), format!("{HOLDS}/{}", placed.id()));
    assert_eq!(placed.header("location"), Some(path.as_str()));
    let mut view = json!({
        "id": id, "account": "alice", "amount": "60.00", "asset": "USD", "expires_at": "2026-03-02T00:00:00.000000Z",
        "reference": {"type": "order", "id": "1"}, "position": "6", "recorded_at": api.now(), "actor": "operator",
    });
    assert_eq!(placed.json(), view);
    view["status"] = json!("open");
    assert_eq!(api.get_json(&path).await, view);
    let open = json!({
        "id": id, "account": "alice", "amount": "60.00", "asset": "USD", "expires_at": "2026-03-02T00:00:00.000000Z",
    });
    assert_eq!(api.get_json(HOLDS).await, json!({"holds": [open], "position": "6"}));
    let account = api.get_json("/v1/ledger/accounts/alice").await;
    assert_eq!(
        (&account["held"], &account["available"]),
        (&json!("60.00"), &json!("40.00"))
    );
    let too_much = api.transfer("alice", "bob", "40.01").await;
    assert_eq!(too_much.problem(), (422, "insufficient_funds".to_owned()));
    assert_eq!(
        (&too_much.json()["available"], &too_much.json()["needed"]),
        (&json!("40.00"), &json!("40.01"))
    );

    let postings = json!([{"debit": "alice", "credit": "bob", "amount": "50", "asset": "USD"}]);
    let body = json!({"description": "shipped", "metadata": {"a": "b"}, "postings": postings});
    let captured = api.post(&format!("{path}/capture"), body).await;
    assert_eq!(captured.status, 201, "{captured:?}");
    let transaction = captured.json();
    assert_eq!(
        (&transaction["captures"], &transaction["code"]),
        (&json!(id), &json!("capture"))
    );
    assert_eq!(api.get_json(&path).await["status"], "resolved");
    assert_eq!(api.get_json(HOLDS).await["holds"], json!([]));
    assert_eq!(api.get_json("/v1/ledger/accounts/alice").await["available"], "50.00");

    let resolved = (409, "hold_already_resolved".to_owned());
    assert_eq!(api.post(&format!("{path}/void"), json!({})).await.problem(), resolved);
    assert_eq!(
        api.post(&format!("{path}/capture"), json!({"postings": postings}))
            .await
            .problem(),
        resolved
    );
}

#[tokio::test]
async fn a_hold_is_voided() {
    let api = Api::with_money().await;
    let placed = api
        .post(HOLDS, json!({"account": "alice", "amount": "60", "asset": "USD"}))
        .await;
    let voided = api
        .post(&format!("{HOLDS}/{}/void", placed.id()), json!({"reason": "cancelled"}))
        .await;
    assert_eq!(voided.status, 200);
    let body = json!({
        "id": placed.id(), "status": "voided", "reason": "cancelled", "position": "7", "recorded_at": api.now(),
        "actor": "operator",
    });
    assert_eq!(voided.json(), body);
    assert_eq!(api.get_json("/v1/ledger/accounts/alice").await["available"], "100.00");
}

#[tokio::test]
async fn what_a_hold_refuses() {
    let api = Api::with_money().await;
    let place = |amount: &str, more: serde_json::Value| {
        let mut body = json!({"account": "alice", "amount": amount, "asset": "USD"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        api.post(HOLDS, body)
    };
    let short = place("10", json!({"expires_at": "2026-03-01T12:00:01Z"})).await;
    let path = format!("{HOLDS}/{}", short.id());
    let head = api.head().await;
    for (amount, more, code) in [
        ("100", json!({}), "insufficient_funds"),
        ("0", json!({}), "amount_not_positive"),
        ("1", json!({"expires_at": "2026-03-01T12:00:00Z"}), "expiry_in_past"),
        ("1", json!({"account": "nobody"}), "unknown_account"),
        ("1", json!({"asset": "EUR"}), "asset_mismatch"),
        (
            "1",
            json!({"reference": {"type": "x".repeat(65), "id": "1"}}),
            "invalid_text",
        ),
    ] {
        assert_eq!(place(amount, more).await.problem(), (422, code.to_owned()));
    }
    let capture = async |debit: &str, amount: &str| {
        let posting = json!({"debit": debit, "credit": "bob", "amount": amount, "asset": "USD"});
        api.post(&format!("{path}/capture"), json!({"postings": [posting]}))
            .await
    };
    assert_eq!(
        capture("alice", "10.01").await.problem(),
        (422, "capture_exceeds_hold".to_owned())
    );
    let other = capture("bank", "1").await;
    assert_eq!(other.problem(), (422, "capture_from_other_account".to_owned()));
    assert_eq!(other.json()["posting"], 1);
    api.advance(Duration::from_secs(1));
    assert_eq!(capture("alice", "1").await.problem(), (422, "hold_expired".to_owned()));
    assert_eq!(api.head().await, head);
}

#[tokio::test]
async fn only_holds_are_found_as_holds() {
    let api = Api::with_money().await;
    let transaction = api.transfer("alice", "bob", "1").await.id();
    for id in ["0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", &transaction] {
        let unknown = (404, "unknown_hold".to_owned());
        assert_eq!(api.get(&format!("{HOLDS}/{id}")).await.problem(), unknown);
        assert_eq!(
            api.post(&format!("{HOLDS}/{id}/void"), json!({})).await.problem(),
            unknown
        );
        let body = json!({"postings": [{"debit": "alice", "credit": "bob", "amount": "1", "asset": "USD"}]});
        assert_eq!(
            api.post(&format!("{HOLDS}/{id}/capture"), body).await.problem(),
            unknown
        );
    }
}
