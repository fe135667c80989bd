//! The past: balances and trial balances as of a position or a time.

use crate::support::Api;
use serde_json::json;
use std::time::Duration;

/// Alice has 100.00 at 12:00 (position 5), 90.00 an hour later (6), 70.00 another hour later (7).
async fn with_past() -> Api {
    let api = Api::with_money().await;
    for amount in ["10", "20"] {
        api.advance(Duration::from_secs(3_600));
        assert_eq!(api.transfer("alice", "bob", amount).await.status, 201);
    }
    api.advance(Duration::from_secs(3_600));
    api
}

#[tokio::test]
async fn balances_as_of_a_position_or_a_time() {
    let api = with_past().await;
    for (as_of, balance, position) in [
        ("2", "0.00", "2"),
        ("4", "0.00", "4"),
        ("5", "100.00", "5"),
        ("6", "90.00", "6"),
        ("7", "70.00", "7"),
        ("2026-03-01T12:00:00Z", "100.00", "5"),
        ("2026-03-01T12:59:59.999999Z", "100.00", "5"),
        ("2026-03-01T13:00:00Z", "90.00", "6"),
        ("2026-03-01T14:30:00%2B01:00", "90.00", "6"),
        ("2026-03-01T14:00:00Z", "70.00", "7"),
        ("2026-03-01T15:00:00Z", "70.00", "7"),
    ] {
        let answer = api
            .get_json(&format!("/v1/ledger/accounts/alice/balance?as_of={as_of}"))
            .await;
        assert_eq!(
            (&answer["balance"], &answer["position"]),
            (&json!(balance), &json!(position)),
            "{as_of}"
        );
    }
    assert_eq!(api.balance("alice").await, "70.00");
}

#[tokio::test]
async fn moments_without_an_answer() {
    let api = with_past().await;
    for (as_of, expected) in [
        ("8", (400, "as_of_beyond_head")),
        ("99999999999999999999999", (400, "as_of_beyond_head")),
        ("2026-03-01T15:00:00.000001Z", (400, "as_of_beyond_head")),
        ("yesterday", (400, "invalid_as_of")),
        ("-1", (400, "invalid_as_of")),
        ("", (400, "invalid_as_of")),
        ("2026-03-01", (400, "invalid_as_of")),
        // Before the account was opened.
        ("0", (404, "unknown_account")),
        ("1", (404, "unknown_account")),
        ("2026-03-01T11:59:59Z", (404, "unknown_account")),
    ] {
        let answer = api
            .get(&format!("/v1/ledger/accounts/alice/balance?as_of={as_of}"))
            .await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()), "{as_of}");
    }
    let beyond = api.get("/v1/ledger/trial-balance?as_of=8").await;
    assert_eq!(beyond.problem(), (400, "as_of_beyond_head".to_owned()));
    assert_eq!(beyond.json()["head"], "7");
}

#[tokio::test]
async fn an_empty_log_has_an_empty_trial_balance() {
    let api = Api::new().await;
    let empty = json!({"position": "0", "balanced": true, "totals": [], "accounts": []});
    for query in ["", "?as_of=0", "?as_of=2026-01-01T00:00:00Z"] {
        assert_eq!(
            api.get_json(&format!("/v1/ledger/trial-balance{query}")).await,
            empty,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_trial_balance_balances_in_every_asset() {
    let api = with_past().await;
    let row = |address: &str, asset: &str, debits: &str, credits: &str, balance: &str| json!({"address": address, "asset": asset, "debits": debits, "credits": credits, "balance": balance});
    let expected = json!({
        "position": "7",
        "balanced": true,
        "totals": [
            {"asset": "USD", "debits": "130.00", "credits": "130.00", "balanced": true},
            {"asset": "VCOIN", "debits": "0.0000", "credits": "0.0000", "balanced": true},
        ],
        "accounts": [
            row("alice", "USD", "30.00", "100.00", "70.00"),
            row("bank", "USD", "100.00", "0.00", "-100.00"),
            row("bob", "USD", "0.00", "30.00", "30.00"),
            row("coins", "VCOIN", "0.0000", "0.0000", "0.0000"),
        ],
    });
    assert_eq!(api.get_json("/v1/ledger/trial-balance").await, expected);
    let then = api.get_json("/v1/ledger/trial-balance?as_of=6").await;
    assert_eq!(
        (&then["position"], &then["accounts"][0]["balance"]),
        (&json!("6"), &json!("90.00"))
    );
}

#[tokio::test]
async fn all_pages_are_as_of_the_first_one() {
    let api = with_past().await;
    let whole = api.get_json("/v1/ledger/trial-balance").await;
    let mut page = api.get_json("/v1/ledger/trial-balance?limit=1").await;
    let mut accounts = page["accounts"].as_array().unwrap().clone();
    while let Some(cursor) = page
        .get("next_cursor")
        .and_then(|cursor| cursor.as_str())
        .map(str::to_owned)
    {
        // Money moves and accounts are opened while somebody turns the pages.
        assert_eq!(api.transfer("bob", "alice", "1").await.status, 201);
        let name = format!("az-{}", accounts.len());
        assert_eq!(
            api.post("/v1/ledger/accounts", json!({"account": name, "asset": "USD"}))
                .await
                .status,
            201
        );
        page = api
            .get_json(&format!("/v1/ledger/trial-balance?limit=1&cursor={cursor}"))
            .await;
        assert_eq!(
            (&page["position"], &page["totals"]),
            (&whole["position"], &whole["totals"])
        );
        accounts.extend(page["accounts"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(whole["accounts"], json!(accounts));

    // The same as_of may stay beside the cursor, another one may not.
    let first = api.get_json("/v1/ledger/trial-balance?limit=1&as_of=6").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = api
        .get_json(&format!("/v1/ledger/trial-balance?as_of=6&cursor={cursor}"))
        .await;
    assert_eq!(next["position"], "6");
    let other = api
        .get(&format!("/v1/ledger/trial-balance?as_of=5&cursor={cursor}"))
        .await;
    assert_eq!(other.problem(), (400, "invalid_cursor".to_owned()));
}

#[tokio::test]
async fn the_past_is_the_same_from_a_snapshot() {
    let api = with_past().await;
    let before = api.get_json("/v1/ledger/accounts/alice/balance?as_of=6").await;
    api.snapshot().await;
    api.transfer("bob", "alice", "1").await;
    assert_eq!(api.get_json("/v1/ledger/accounts/alice/balance?as_of=6").await, before);
    for (as_of, balance) in [("8", "70.00"), ("9", "71.00")] {
        let answer = api
            .get_json(&format!("/v1/ledger/accounts/alice/balance?as_of={as_of}"))
            .await;
        assert_eq!(answer["balance"], balance, "{as_of}");
    }
}
