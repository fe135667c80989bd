//! Requests that can be read and that the ledger, or the wall around reserved accounts, refuses.

use crate::support::Api;
use serde_json::{Value, json};
use viral_ledger::{Address, Amount, Asset, Code, Command, NewTransaction, NormalSide, Posting};

fn posting(debit: &str, credit: &str, amount: &str, asset: &str) -> Value {
    json!({"debit": debit, "credit": credit, "amount": amount, "asset": asset})
}

#[tokio::test]
async fn transactions_that_the_ledger_refuses() {
    let api = Api::with_money().await;
    api.post("/v1/ledger/accounts", json!({"account": "ice", "asset": "USD"}))
        .await;
    api.post("/v1/ledger/accounts/ice/freeze", json!({})).await;
    let head = api.head().await;
    let good = || posting("alice", "bob", "1", "USD");
    let long = "x".repeat(1_001);
    for (body, code, at, account) in [
        (json!({"postings": []}), "empty_transaction", None, None),
        (json!({"postings": vec![good(); 201]}), "too_many_postings", None, None),
        (
            json!({"postings": [good()], "code": "reversal"}),
            "reserved_code",
            None,
            None,
        ),
        (
            json!({"postings": [good()], "description": long}),
            "invalid_text",
            None,
            None,
        ),
        (
            json!({"postings": [good()], "description": "a\u{0}b"}),
            "invalid_text",
            None,
            None,
        ),
        (
            json!({"postings": [good()], "metadata": {"k": "a\nb"}}),
            "invalid_text",
            None,
            None,
        ),
        (
            json!({"postings": [good()], "effective_at": "1899-12-31T23:59:59Z"}),
            "effective_out_of_range",
            None,
            None,
        ),
        (
            json!({"postings": [good(), posting("bob", "bob", "1", "USD")]}),
            "self_transfer",
            Some(2),
            Some("bob"),
        ),
        (
            json!({"postings": [good(), posting("bob", "bank", "0", "USD")]}),
            "amount_not_positive",
            Some(2),
            None,
        ),
        // Unbalanced: it leaves an account of dollars and would arrive on one of coins.
        (
            json!({"postings": [good(), posting("alice", "coins", "1", "USD")]}),
            "asset_mismatch",
            Some(2),
            Some("coins"),
        ),
        (
            json!({"postings": [posting("alice", "bob", "1", "EUR")]}),
            "asset_mismatch",
            Some(1),
            Some("alice"),
        ),
        (
            json!({"postings": [good(), posting("nobody", "bob", "1", "USD")]}),
            "unknown_account",
            None,
            Some("nobody"),
        ),
        (
            json!({"postings": [posting("alice", "ice", "1", "USD")]}),
            "account_frozen",
            None,
            Some("ice"),
        ),
        (
            json!({"postings": [posting("alice", "bob", "100.01", "USD")]}),
            "insufficient_funds",
            None,
            Some("alice"),
        ),
        (
            json!({"postings": vec![good(); 101]}),
            "insufficient_funds",
            None,
            Some("alice"),
        ),
    ] {
        let answer = api.post("/v1/ledger/transactions", body).await;
        assert_eq!(answer.problem(), (422, code.to_owned()), "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem.get("posting").cloned(), at.map(Value::from), "{problem}");
        assert_eq!(problem.get("account").cloned(), account.map(Value::from), "{problem}");
    }
    let twice = api
        .post("/v1/ledger/accounts", json!({"account": "alice", "asset": "EUR"}))
        .await;
    assert_eq!(twice.problem(), (409, "account_exists".to_owned()));
    assert_eq!(api.head().await, head);
}

#[tokio::test]
async fn totals_and_events_have_bounds() {
    let api = Api::with_money().await;
    let most = "9999999999999999999999.99";
    assert_eq!(
        api.transfer("bank", "bob", most).await.problem(),
        (422, "overflow".to_owned())
    );
    // Each text is allowed by itself, all of them together do not fit on one line of the log.
    let metadata = (0..64).map(|n| (format!("k{n}"), json!("x".repeat(1_000))));
    let metadata: serde_json::Map<String, Value> = metadata.collect();
    let postings = [posting("alice", "bob", "1", "USD")];
    let body = json!({"postings": postings, "metadata": metadata, "description": "x".repeat(500)});
    assert!(body.to_string().len() <= viral_api::MAX_BODY);
    let head = api.head().await;
    let answer = api.post("/v1/ledger/transactions", body).await;
    assert_eq!(answer.problem(), (422, "event_too_large".to_owned()));
    assert_eq!(api.head().await, head);
}

/// Accounts that only use cases of the domain can open, with money and a hold of theirs, and a transaction of theirs.
async fn reserved(api: &Api) -> (uuid::Uuid, uuid::Uuid) {
    let usd = Asset::parse("USD").unwrap();
    let address = |text: &str| Address::parse(text).unwrap();
    for account in ["user:1:wallet", "platform:usd:backing"] {
        api.command(Command::OpenAccount {
            account: address(account),
            asset: usd,
            normal_side: NormalSide::Credit,
            may_go_negative: true,
        })
        .await;
    }
    let transaction = api
        .command(Command::Post(NewTransaction {
            code: Code::TRANSFER,
            description: None,
            effective_at: None,
            metadata: Default::default(),
            postings: vec![Posting {
                debit: address("platform:usd:backing"),
                credit: address("user:1:wallet"),
                amount: Amount::from_minor(500).unwrap(),
                asset: usd,
            }],
            reference: None,
        }))
        .await;
    let hold = api
        .command(Command::PlaceHold {
            account: address("user:1:wallet"),
            amount: Amount::from_minor(100).unwrap(),
            asset: usd,
            expires_at: None,
            reference: None,
        })
        .await;
    (transaction, hold)
}

#[tokio::test]
async fn reserved_accounts_are_seen_and_left_alone() {
    let api = Api::with_money().await;
    let (transaction, hold) = reserved(&api).await;
    let head = api.head().await;
    let transfer = |debit: &str, credit: &str| json!({"postings": [posting(debit, credit, "1", "USD")]});
    for (path, body) in [
        (
            "accounts".to_owned(),
            json!({"account": "user:2:wallet", "asset": "USD"}),
        ),
        ("accounts".to_owned(), json!({"account": "stripe", "asset": "USD"})),
        ("accounts/user:1:wallet/freeze".to_owned(), json!({})),
        ("accounts/user:1:wallet/unfreeze".to_owned(), json!({})),
        ("accounts/platform:fees/close".to_owned(), json!({})),
        ("transactions".to_owned(), transfer("user:1:wallet", "bob")),
        ("transactions".to_owned(), transfer("alice", "campaign:1:escrow")),
        (
            "holds".to_owned(),
            json!({"account": "user:1:wallet", "amount": "1", "asset": "USD"}),
        ),
        (format!("holds/{hold}/capture"), transfer("user:1:wallet", "bob")),
        (format!("holds/{hold}/capture"), transfer("alice", "bob")),
        (format!("holds/{hold}/void"), json!({})),
        (format!("transactions/{transaction}/reverse"), json!({})),
    ] {
        let answer = api.post(&format!("/v1/ledger/{path}"), body.clone()).await;
        assert_eq!(answer.problem(), (403, "reserved_address".to_owned()), "{path} {body}");
        assert!(answer.json()["account"].is_string(), "{answer:?}");
    }
    assert_eq!(api.head().await, head);
    // A hold on an open account is not captured into a reserved one either.
    let open = api
        .post(
            "/v1/ledger/holds",
            json!({"account": "alice", "amount": "1", "asset": "USD"}),
        )
        .await
        .id();
    let answer = api
        .post(
            &format!("/v1/ledger/holds/{open}/capture"),
            transfer("alice", "user:1:wallet"),
        )
        .await;
    assert_eq!(answer.problem(), (403, "reserved_address".to_owned()));
    assert_eq!(api.balance("user:1:wallet").await, "5.00");
    assert_eq!(
        api.get(&format!("/v1/ledger/holds/{hold}")).await.json()["status"],
        "open"
    );
}
