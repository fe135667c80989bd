//! The API under test, and short ways to call it.

use crate::contract;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;
use viral_api::{AppState, Role, Tokens, router};
use viral_commands::{Commands, Environment, Outcome, Settings, Unit, Vault, Writer};
use viral_domain::Terms;
use viral_ledger::Command;
use viral_store::{EventStore, MemoryStore};

pub(crate) const TOKEN: &str = "a-token-for-tests-0123456789";

/// The whole API with its log.
pub(crate) struct Api {
    router: Router,
    pub(crate) state: AppState,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) commands: Commands,
    pub(crate) writer: Writer,
    clock: Arc<Mutex<DateTime<Utc>>>,
    keys: AtomicU64,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The status and the code of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        assert_eq!(body["status"], self.status, "{self:?}");
        assert_eq!(body["request_id"], self.header("x-request-id").unwrap(), "{self:?}");
        let code = body["code"].as_str().unwrap().to_owned();
        assert_eq!(body["type"], format!("urn:viral:problem:{code}"));
        assert!(
            body["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
            "{self:?}"
        );
        (self.status, code)
    }

    pub(crate) fn id(&self) -> String {
        self.json()["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{self:?}"))
            .to_owned()
    }
}

impl Api {
    pub(crate) async fn new() -> Api {
        Api::with(Environment::Production, |state| state).await
    }

    /// One that issues tokens to everybody, on a developer's machine.
    pub(crate) async fn for_development() -> Api {
        Api::with(Environment::Development, |state| state.with_dev_tokens([7; 32])).await
    }

    /// One that issues tokens to everybody, though it is no developer's machine.
    pub(crate) async fn with_tokens() -> Api {
        Api::with(Environment::Production, |state| state.with_dev_tokens([7; 32])).await
    }

    async fn with(environment: Environment, adjust: impl FnOnce(AppState) -> AppState) -> Api {
        let clock: Arc<Mutex<DateTime<Utc>>> = Arc::new(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let time = clock.clone();
        let now: viral_commands::Clock = Arc::new(move || *time.lock().unwrap());
        let store = Arc::new(MemoryStore::new(Uuid::from_u128(1)));
        let settings = Settings {
            clock: Some(now.clone()),
            ..Settings::default()
        };
        let (writer, _) = Writer::start(store.clone(), settings).await.unwrap();
        let mut tokens = Tokens::new();
        tokens.add(TOKEN, "operator", Role::Admin).unwrap();
        let vault = Vault::new(store.clone(), &[9; 32]);
        let commands = Commands::new(writer.clone(), Terms::default(), vault)
            .with_clock(now.clone())
            .with_environment(environment);
        let state = adjust(AppState::new(commands.clone(), tokens).with_clock(now));
        Api {
            router: router(state.clone()),
            state,
            store,
            commands,
            writer,
            clock,
            keys: AtomicU64::new(1),
        }
    }

    /// With the accounts `bank` (may go negative), `alice` and `bob` of USD, `coins` of VCOIN, and 100.00 for Alice.
    pub(crate) async fn with_money() -> Api {
        let api = Api::new().await;
        for (account, asset, may_go_negative) in [
            ("bank", "USD", true),
            ("alice", "USD", false),
            ("bob", "USD", false),
            ("coins", "VCOIN", true),
        ] {
            let body = json!({"account": account, "asset": asset, "may_go_negative": may_go_negative});
            let opened = api.post("/v1/ledger/accounts", body).await;
            assert_eq!(opened.status, 201, "{opened:?}");
        }
        let paid = api.transfer("bank", "alice", "100.00").await;
        assert_eq!(paid.status, 201, "{paid:?}");
        api
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.clock.lock().unwrap() += by;
    }

    pub(crate) fn now(&self) -> String {
        self.clock
            .lock()
            .unwrap()
            .to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    }

    pub(crate) async fn head(&self) -> u64 {
        self.store.head().await.unwrap().position.0
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            // Only pictures are no text, and nobody looks into those.
            text: String::from_utf8_lossy(&body).into_owned(),
        };
        let content_type = answer.header("content-type");
        contract::check(method.as_str(), &path, answer.status, content_type, &answer.text);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {TOKEN}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// The body of an answer that must be a success.
    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    pub(crate) fn fresh_key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// A write with a fresh key.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_with_key(path, &self.fresh_key(), &body.to_string()).await
    }

    pub(crate) async fn post_with_key(&self, path: &str, key: &str, body: &str) -> Answer {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Moves dollars so that a credit account `to` has more and `from` has less.
    pub(crate) async fn transfer(&self, from: &str, to: &str, amount: &str) -> Answer {
        let posting = json!({"debit": from, "credit": to, "amount": amount, "asset": "USD"});
        self.post("/v1/ledger/transactions", json!({"postings": [posting]}))
            .await
    }

    pub(crate) async fn balance(&self, account: &str) -> String {
        let balance = self.get_json(&format!("/v1/ledger/accounts/{account}/balance")).await;
        balance["balance"].as_str().unwrap().to_owned()
    }

    /// What a use case of the domain would do: a command past the API's own limits.
    pub(crate) async fn command(&self, command: Command) -> Uuid {
        let id = Uuid::now_v7();
        let outcome = self.writer.append(Unit::ledger(id, command)).await.unwrap();
        assert!(matches!(outcome, Outcome::Appended(_)));
        id
    }

    /// Takes a snapshot of the book now.
    pub(crate) async fn snapshot(&self) {
        self.writer.snapshot().await.unwrap();
    }
}
