//! Requests that cannot be read: malformed JSON, unknown fields, amounts that are none. Nothing is ever written.

use crate::support::{Answer, Api};
use serde_json::{Value, json};

const TRANSACTIONS: &str = "/v1/ledger/transactions";

fn transfer(posting: Value) -> Value {
    let mut whole = json!({"debit": "alice", "credit": "bob", "amount": "1.00", "asset": "USD"});
    whole
        .as_object_mut()
        .unwrap()
        .extend(posting.as_object().unwrap().clone());
    json!({"postings": [{"debit": "bank", "credit": "bob", "amount": "1", "asset": "USD"}, whole]})
}

fn detail(answer: &Answer) -> String {
    answer.json()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn amounts_that_are_none() {
    let api = Api::with_money().await;
    let head = api.head().await;
    let digits = "9".repeat(10_000);
    for (amount, status, code) in [
        (json!(1), 400, "invalid_amount"),
        (json!(1.5), 400, "invalid_amount"),
        (json!(-1), 400, "invalid_amount"),
        (json!(1e300), 400, "invalid_amount"),
        // Numbers that lose digits are refused wherever they stand.
        (json!(u64::MAX), 400, "invalid_body"),
        (json!(""), 400, "invalid_amount"),
        (json!("1,000.00"), 400, "invalid_amount"),
        (json!("1e3"), 400, "invalid_amount"),
        (json!("NaN"), 400, "invalid_amount"),
        (json!(" 1"), 400, "invalid_amount"),
        (json!("0x1"), 400, "invalid_amount"),
        (json!("1.001"), 400, "too_many_digits"),
        (json!("1.000000000000000000000000000000000000"), 400, "too_many_digits"),
        (json!("10000000000000000000000.01"), 400, "amount_out_of_range"),
        (json!(digits), 400, "amount_out_of_range"),
        (json!("0"), 422, "amount_not_positive"),
        (json!("0.00"), 422, "amount_not_positive"),
        (json!("-0.01"), 422, "amount_not_positive"),
        (json!(null), 400, "invalid_body"),
        (json!(true), 400, "invalid_body"),
        (json!(["1"]), 400, "invalid_body"),
        (json!({"value": "1"}), 400, "invalid_body"),
    ] {
        let answer = api.post(TRANSACTIONS, transfer(json!({"amount": amount}))).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{amount:.60}");
        if code != "invalid_body" {
            assert_eq!(answer.json()["posting"], 2, "{amount:.60}");
        }
        let hold = api
            .post(
                "/v1/ledger/holds",
                json!({"account": "alice", "amount": amount, "asset": "USD"}),
            )
            .await;
        assert_eq!(hold.problem(), (status, code.to_owned()), "hold of {amount:.60}");
    }
    let number = api.post(TRANSACTIONS, transfer(json!({"amount": 12.5}))).await;
    assert!(detail(&number).contains("amounts are strings"), "{number:?}");
    assert_eq!(api.head().await, head);
}

#[tokio::test]
async fn fields_that_cannot_be_read_are_named() {
    let api = Api::with_money().await;
    let head = api.head().await;
    for (body, status, code, field) in [
        (transfer(json!({"debit": "a b"})), 400, "invalid_address", "debit"),
        (transfer(json!({"credit": ""})), 400, "invalid_address", "credit"),
        (
            transfer(json!({"credit": "x".repeat(201)})),
            400,
            "invalid_address",
            "credit",
        ),
        (transfer(json!({"asset": "usd"})), 422, "unknown_asset", "asset"),
        (transfer(json!({"asset": "XAU"})), 422, "unknown_asset", "asset"),
        (transfer(json!({"colour": "red"})), 400, "invalid_body", "colour"),
        (
            transfer(json!({"debit": 1})),
            400,
            "invalid_body",
            "invalid type: integer",
        ),
        (json!({}), 400, "invalid_body", "postings"),
        (
            json!({"postings": {}}),
            400,
            "invalid_body",
            "postings: invalid type: object, expected a list",
        ),
        (
            json!({"postings": [{"debit": "alice"}]}),
            400,
            "invalid_body",
            "missing field `credit`",
        ),
        (json!({"postings": [], "code": "Gift"}), 400, "invalid_code", "code"),
        (json!({"postings": [], "code": ""}), 400, "invalid_code", "code"),
        (
            json!({"postings": [], "effective_at": "2026-02-30T00:00:00Z"}),
            400,
            "invalid_time",
            "effective_at",
        ),
        (
            json!({"postings": [], "effective_at": "today"}),
            400,
            "invalid_time",
            "effective_at",
        ),
        (
            json!({"postings": [], "effective_at": 0}),
            400,
            "invalid_body",
            "invalid type: integer",
        ),
        (
            json!({"postings": [], "metadata": {"n": 1}}),
            400,
            "invalid_body",
            "invalid type: integer",
        ),
        (
            json!({"postings": [], "reference": {"id": "1"}}),
            400,
            "invalid_body",
            "type",
        ),
        (
            json!({"postings": [], "reference": {"id": "1", "type": "t", "x": ""}}),
            400,
            "invalid_body",
            "`x`",
        ),
        (
            json!({"postings": [], "id": "mine"}),
            400,
            "invalid_body",
            "unknown field `id`",
        ),
    ] {
        let answer = api.post(TRANSACTIONS, body.clone()).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{body}");
        assert!(detail(&answer).contains(field), "{answer:?}");
    }
    for (path, body, code) in [
        ("accounts", json!({"asset": "USD"}), "invalid_body"),
        ("accounts", json!({"account": "a:", "asset": "USD"}), "invalid_address"),
        (
            "accounts",
            json!({"account": "a", "asset": "USD", "normal_side": "left"}),
            "invalid_body",
        ),
        (
            "accounts",
            json!({"account": "a", "asset": "USD", "may_go_negative": "yes"}),
            "invalid_body",
        ),
        (
            "accounts",
            json!({"account": "a", "asset": "USD", "balance": "5"}),
            "invalid_body",
        ),
        ("accounts/bob/freeze", json!({"reason": 1}), "invalid_body"),
        ("accounts/bob/freeze", json!({"why": ""}), "invalid_body"),
        ("accounts/b%20b/freeze", json!({}), "invalid_address"),
        ("holds", json!({"account": "alice", "asset": "USD"}), "invalid_body"),
        ("holds/1/void", json!({}), "invalid_id"),
        ("holds/1/capture", json!({"postings": []}), "invalid_id"),
        ("transactions/xyz/reverse", json!({}), "invalid_id"),
        ("periods/close", json!({"through": "31.01.2026"}), "invalid_date"),
        ("periods/close", json!({"through": "2026-1-31"}), "invalid_date"),
        ("periods/close", json!({}), "invalid_body"),
    ] {
        let answer = api.post(&format!("/v1/ledger/{path}"), body.clone()).await;
        assert_eq!(answer.problem(), (400, code.to_owned()), "{path} {body}");
    }
    assert_eq!(api.head().await, head);
}

#[tokio::test]
async fn bodies_that_are_not_json() {
    let api = Api::with_money().await;
    let head = api.head().await;
    for (body, code, says) in [
        ("{\n\"postings\": [\n}", "malformed_json", "line 3 column 1"),
        ("{\"postings\": []", "malformed_json", "line 1 column 15"),
        ("postings=1", "malformed_json", "line 1"),
        ("{} {}", "malformed_json", "trailing"),
        ("\u{feff}{}", "malformed_json", "line 1"),
        ("[]", "invalid_body", "object"),
        ("\"x\"", "invalid_body", "object"),
        ("", "invalid_body", "missing field `postings`"),
        ("{\"postings\":[],\"postings\":[]}", "duplicate_key", "\"postings\""),
        (
            "{\"postings\":[],\"metadata\":{\"a\":\"1\",\"a\":\"2\"}}",
            "duplicate_key",
            "\"a\"",
        ),
        (
            "{\"postings\":[],\"description\":\"\\ud800\"}",
            "malformed_json",
            "line 1",
        ),
    ] {
        let answer = api.post_with_key(TRANSACTIONS, &api.fresh_key(), body).await;
        assert_eq!(answer.problem(), (400, code.to_owned()), "{body}");
        assert!(detail(&answer).contains(says), "{answer:?}");
    }
    let deep = "[".repeat(30_000);
    let answer = api.post_with_key(TRANSACTIONS, "deep", &deep).await;
    assert_eq!(answer.problem(), (400, "malformed_json".to_owned()));
    assert_eq!(api.head().await, head);
}

#[tokio::test]
async fn queries_with_something_unknown() {
    let api = Api::with_money().await;
    let head = api.head().await;
    let id = "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
    for path in [
        "/healthz",
        "/readyz",
        "/v1/ledger/accounts",
        "/v1/ledger/accounts/alice",
        "/v1/ledger/accounts/alice/balance",
        "/v1/ledger/transactions",
        &format!("/v1/ledger/transactions/{id}"),
        "/v1/ledger/trial-balance",
        "/v1/ledger/holds",
        &format!("/v1/ledger/holds/{id}"),
    ] {
        let answer = api.get(&format!("{path}?colour=red")).await;
        assert_eq!(answer.problem(), (400, "invalid_query".to_owned()), "{path}");
        assert!(detail(&answer).contains("colour"), "{answer:?}");
    }
    let twice = api.get("/v1/ledger/accounts?limit=1&limit=2").await;
    assert_eq!(twice.problem(), (400, "invalid_query".to_owned()));
    let write = api.post("/v1/ledger/accounts/bob/freeze?dry_run=true", json!({})).await;
    assert_eq!(write.problem(), (400, "invalid_query".to_owned()));
    for path in [
        "transactions/1",
        "holds/1",
        "transactions/urn:uuid:0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    ] {
        let answer = api.get(&format!("/v1/ledger/{path}")).await;
        assert_eq!(answer.problem(), (400, "invalid_id".to_owned()), "{path}");
    }
    for path in ["accounts/a%20b", "accounts/a:/balance"] {
        let answer = api.get(&format!("/v1/ledger/{path}")).await;
        assert_eq!(answer.problem(), (400, "invalid_address".to_owned()), "{path}");
    }
    assert_eq!(api.head().await, head);
}
