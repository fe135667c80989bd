//! A repeated call gets the first answer, byte for byte; another call with the same key is refused.

use crate::support::{Answer, Api};
use serde_json::json;
use std::time::Duration;

/// Status, body and the headers that say what was done.
fn result(answer: &Answer) -> (u16, &str, Option<&str>, Option<&str>) {
    let header = |name| answer.header(name);
    (
        answer.status,
        &answer.text,
        header("location"),
        header("viral-position"),
    )
}

#[tokio::test]
async fn every_write_answers_a_repetition_with_the_same_bytes() {
    let api = Api::with_money().await;
    let hold = json!({"account": "alice", "amount": "5", "asset": "USD", "reference": {"type": "t", "id": "i"}});
    let placed = [
        api.post("/v1/ledger/holds", hold.clone()).await,
        api.post("/v1/ledger/holds", hold.clone()).await,
    ];
    let original = api.transfer("alice", "bob", "1").await.id();
    let postings = json!([{"debit": "alice", "credit": "bob", "amount": "1", "asset": "USD"}]);
    let writes = [
        (
            "/v1/ledger/accounts".to_owned(),
            json!({"account": "carol", "asset": "USD"}),
        ),
        ("/v1/ledger/accounts/carol/freeze".to_owned(), json!({"reason": "r"})),
        ("/v1/ledger/accounts/carol/unfreeze".to_owned(), json!({})),
        ("/v1/ledger/accounts/carol/close".to_owned(), json!({})),
        (
            "/v1/ledger/transactions".to_owned(),
            json!({"postings": postings, "metadata": {"k": "v"}}),
        ),
        ("/v1/ledger/holds".to_owned(), hold),
        (
            format!("/v1/ledger/holds/{}/capture", placed[0].id()),
            json!({"postings": postings}),
        ),
        (
            format!("/v1/ledger/holds/{}/void", placed[1].id()),
            json!({"reason": "r"}),
        ),
        (
            format!("/v1/ledger/transactions/{original}/reverse"),
            json!({"reason": "r"}),
        ),
        ("/v1/ledger/periods/close".to_owned(), json!({"through": "2026-02-01"})),
    ];
    let mut first = Vec::new();
    for (path, body) in &writes {
        let answer = api.post_with_key(path, path, &body.to_string()).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        assert_eq!(answer.header("idempotent-replayed"), None);
        first.push(answer);
    }
    let head = api.head().await;
    api.advance(Duration::from_secs(3_600));
    for ((path, body), first) in writes.iter().zip(&first) {
        // Spelled in another way, it is the same request.
        let spaced = serde_json::to_string_pretty(body).unwrap();
        let again = api.post_with_key(path, path, &spaced).await;
        assert_eq!(result(&again), result(first), "{path}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{path}");
    }
    assert_eq!(api.head().await, head);
}

#[tokio::test]
async fn the_same_key_is_refused_for_another_body_or_path() {
    let api = Api::with_money().await;
    let postings = json!([{"debit": "alice", "credit": "bob", "amount": "1", "asset": "USD"}]);
    let body = json!({"postings": postings}).to_string();
    assert_eq!(
        api.post_with_key("/v1/ledger/transactions", "k", &body).await.status,
        201
    );
    let head = api.head().await;
    let reused = (409, "idempotency_key_reused".to_owned());
    let other = api
        .post_with_key("/v1/ledger/transactions", "k", &body.replace("\"1\"", "\"2\""))
        .await;
    assert_eq!(other.problem(), reused);
    assert_eq!(other.json()["position"], "6");
    assert_eq!(
        api.post_with_key("/v1/ledger/accounts/bob/freeze", "k", "{}")
            .await
            .problem(),
        reused
    );
    assert_eq!(
        api.post_with_key("/v1/ledger/accounts/bob/freeze", "f", "{}")
            .await
            .status,
        200
    );
    assert_eq!(
        api.post_with_key("/v1/ledger/accounts/alice/freeze", "f", "{}")
            .await
            .problem(),
        reused
    );
    assert_eq!(
        api.post_with_key("/v1/ledger/accounts/bob/close", "f", "{}")
            .await
            .problem(),
        reused
    );
    assert_eq!(api.head().await, head + 1);
}

#[tokio::test]
async fn a_refused_call_may_be_tried_again_with_its_key() {
    let api = Api::with_money().await;
    let body = json!({"postings": [{"debit": "bob", "credit": "alice", "amount": "5", "asset": "USD"}]}).to_string();
    let refused = api.post_with_key("/v1/ledger/transactions", "k", &body).await;
    assert_eq!(refused.problem(), (422, "insufficient_funds".to_owned()));
    api.transfer("bank", "bob", "5").await;
    assert_eq!(
        api.post_with_key("/v1/ledger/transactions", "k", &body).await.status,
        201
    );
}

#[tokio::test]
async fn many_at_once_with_one_key_happen_once() {
    let api = std::sync::Arc::new(Api::with_money().await);
    let body = json!({"postings": [{"debit": "alice", "credit": "bob", "amount": "1", "asset": "USD"}]}).to_string();
    let calls = (0..16).map(|_| {
        let (api, body) = (api.clone(), body.clone());
        tokio::spawn(async move { api.post_with_key("/v1/ledger/transactions", "once", &body).await })
    });
    let mut texts = std::collections::BTreeSet::new();
    let mut replayed = 0;
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert_eq!(answer.status, 201);
        replayed += usize::from(answer.header("idempotent-replayed").is_some());
        texts.insert(answer.text);
    }
    assert_eq!((texts.len(), replayed), (1, 15));
    assert_eq!(api.balance("bob").await, "1.00");
}
