//! What is around every request: ids, unknown paths, bodies that are too long or of another kind, readiness.

use crate::support::{Api, TOKEN};
use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use serde_json::json;
use std::time::{Duration, Instant};
use viral_store::EventStore;

fn with_token(request: Builder) -> Builder {
    request.header("authorization", format!("Bearer {TOKEN}"))
}

#[tokio::test]
async fn health_and_readiness_are_public() {
    let api = Api::new().await;
    for (path, status) in [("/healthz", "up"), ("/readyz", "ready")] {
        let answer = api.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(status)));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_writer_that_does_not_answer_is_not_ready() {
    let api = Api::with_money().await;
    let locked = api.store.lock().await.unwrap();
    let began = Instant::now();
    // This write waits for the lock of the head, and so does whatever asks the writer after it.
    let (written, ready) = tokio::join!(api.transfer("alice", "bob", "1"), async {
        let answer = api.get("/readyz").await;
        drop(locked);
        answer
    });
    assert_eq!(written.status, 201);
    assert_eq!(ready.problem(), (503, "not_ready".to_owned()));
    assert_eq!(ready.header("retry-after"), Some("1"));
    // The writer was given 2 s, and the answer is shared for a second.
    let again = api.get("/readyz").await.status;
    assert!(again == 503 || began.elapsed() >= Duration::from_secs(3), "{again}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(api.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn the_request_id_is_the_callers_if_it_can_be_used() {
    let api = Api::new().await;
    let long = "x".repeat(129);
    for (given, kept) in [
        ("my-id/1", true),
        ("a b", false),
        ("é", false),
        (long.as_str(), false),
        ("", false),
    ] {
        let request = Request::get("/nowhere").header("x-request-id", given);
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(answer.problem(), (404, "not_found".to_owned()));
        assert_eq!(id == given, kept, "{given}");
        assert!(
            kept || uuid::Uuid::try_parse(id).unwrap().get_version_num() == 7,
            "{id}"
        );
    }
}

/// Events have the caller's correlation id if it can be used, else the request's id.
#[tokio::test]
async fn the_correlation_id_ends_up_in_the_events() {
    let api = Api::with_money().await;
    let long = "x".repeat(129);
    for (request_id, correlation_id, kept) in [
        (Some("request-1"), Some("order/4711"), "order/4711"),
        (None, Some("order/4711"), "order/4711"),
        (Some("request-2"), None, "request-2"),
        (Some("request-3"), Some("a b"), "request-3"),
        (Some("request-4"), Some(""), "request-4"),
        (Some("request-5"), Some(long.as_str()), "request-5"),
    ] {
        let mut request = with_token(Request::post("/v1/ledger/holds"))
            .header("content-type", "application/json")
            .header("idempotency-key", api.fresh_key());
        for (name, id) in [("x-request-id", request_id), ("x-correlation-id", correlation_id)] {
            if let Some(id) = id {
                request = request.header(name, id);
            }
        }
        let body = Body::from(r#"{"account":"alice","amount":"1","asset":"USD"}"#);
        let answer = api.send(request.body(body).unwrap()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let position = viral_store::Position(api.head().await - 1);
        let event = api.store.read_after(position, 1).await.unwrap().pop().unwrap();
        let metadata = event.parse_metadata().unwrap();
        assert_eq!(metadata.correlation_id.as_deref(), Some(kept));
        // The answer names the request, whatever it belongs to.
        assert!(request_id.is_none_or(|id| answer.header("x-request-id") == Some(id)));
    }
}

#[tokio::test]
async fn there_is_nothing_elsewhere() {
    let api = Api::new().await;
    for path in [
        "/",
        "/v1",
        "/v1/ledger",
        "/v1/ledger/accounts/",
        "/v1/ledger/accounts/a/b/c",
        "/V1/ledger/holds",
    ] {
        assert_eq!(api.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
    let encoded = api.get("/v1/ledger/accounts/%ff").await;
    assert_eq!(encoded.problem(), (400, "bad_request".to_owned()));
}

#[tokio::test]
async fn a_body_has_a_longest_length() {
    let api = Api::with_money().await;
    let head = api.head().await;
    let body = format!(r#"{{"reason":"{}"}}"#, "x".repeat(64 * 1024));
    let answer = api.post_with_key("/v1/ledger/accounts/bob/freeze", "k", &body).await;
    assert_eq!(answer.problem(), (413, "payload_too_large".to_owned()));
    assert_eq!(api.head().await, head);
}

#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let api = Api::with_money().await;
    let head = api.head().await;
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
    ] {
        let mut request = with_token(Request::post("/v1/ledger/accounts/bob/freeze")).header("idempotency-key", "k");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = api.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(answer.problem(), (415, "unsupported_media_type".to_owned()), "{kind:?}");
    }
    assert_eq!(api.head().await, head);
    let request = with_token(Request::post("/v1/ledger/accounts/bob/freeze"))
        .header("idempotency-key", "k")
        .header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(api.send(request.body(Body::from("{}")).unwrap()).await.status, 200);
}

#[tokio::test]
async fn every_write_wants_one_usable_key() {
    let api = Api::with_money().await;
    let head = api.head().await;
    let long = "k".repeat(256);
    for (keys, code) in [
        (&[][..], "idempotency_key_required"),
        (&[""], "idempotency_key_invalid"),
        (&["a b"], "idempotency_key_invalid"),
        (&["ключ"], "idempotency_key_invalid"),
        (&[&long], "idempotency_key_invalid"),
        (&["one", "two"], "idempotency_key_invalid"),
    ] {
        let mut request = with_token(Request::post("/v1/ledger/accounts/bob/freeze"));
        for key in keys {
            request = request.header("idempotency-key", *key);
        }
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), (400, code.to_owned()), "{keys:?}");
    }
    assert_eq!(api.head().await, head);
    let longest = api
        .post_with_key("/v1/ledger/accounts/bob/freeze", &"k".repeat(255), "{}")
        .await;
    assert_eq!(longest.status, 200);
}
