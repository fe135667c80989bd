//! The API under test, over a database of its own: requests go into the router, a projector follows the log, and the
//! clock is set by hand.

use crate::contract;
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;
use viral_api::{AppState, Role, Tokens, router};
use viral_commands::{Clock, Commands, Engagement, Environment, Settings, Vault, Writer};
use viral_domain::{Sealed, Terms};
use viral_projections::queries::ReadModels;
use viral_projections::{Checkpoints, ProjectionError, Projector, READ_MODELS, Unseal, UnsealError, connect};
use viral_store::{EventStore, PostgresStore};
use viral_tests::server::TestServer;

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// The operator's token.
pub(crate) const OPERATOR: &str = "a-token-for-tests-0123456789";

/// The whole platform but for its workers and its port.
pub(crate) struct Api {
    router: Router,
    pub(crate) state: AppState,
    pub(crate) store: Arc<PostgresStore>,
    pub(crate) commands: Commands,
    clock: Arc<Mutex<DateTime<Utc>>>,
    keys: AtomicU64,
    /// The projector ends when this is gone.
    _stop: watch::Sender<bool>,
    _projector: JoinHandle<Result<(), ProjectionError>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Personal fields are opened by the vault that sealed them.
struct VaultUnseal(Vault);

#[async_trait]
impl Unseal for VaultUnseal {
    async fn unseal(&self, sealed: &[Sealed]) -> Result<Vec<Option<String>>, UnsealError> {
        let opened = self.0.open(sealed).await;
        opened.map_err(|error| UnsealError::Damaged(error.to_string()))
    }
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
        (
            self.status,
            body["code"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned(),
        )
    }

    pub(crate) fn id(&self) -> String {
        self.json()["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{self:?}"))
            .to_owned()
    }
}

impl Api {
    /// One that issues tokens to everybody, on a developer's machine, at noon of the first of March.
    pub(crate) async fn for_development() -> Api {
        let database = TestServer::shared().await.database().await;
        let store = database.store().await;
        let clock: Arc<Mutex<DateTime<Utc>>> = Arc::new(Mutex::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let time = clock.clone();
        let now: Clock = Arc::new(move || *time.lock().unwrap());
        let settings = Settings {
            clock: Some(now.clone()),
            ..Settings::default()
        };
        let (writer, _) = Writer::start(store.clone(), settings).await.unwrap();
        let vault = Vault::new(store.clone(), &[9; 32]);
        let commands = Commands::new(writer, Terms::default(), vault.clone())
            .with_clock(now.clone())
            .with_environment(Environment::Development);
        let unseal = Arc::new(VaultUnseal(vault));
        let projector = Projector::new(connect(&database.app_url).unwrap(), store.clone(), unseal);
        projector.prepare().await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let projector = tokio::spawn(async move { projector.run(stopped).await });
        let mut tokens = Tokens::new();
        tokens.add(OPERATOR, "operator", Role::Admin).unwrap();
        let state = AppState::new(commands.clone(), tokens)
            .with_clock(now)
            .with_dev_tokens([7; 32])
            .with_read_models(ReadModels::new(store.pool().clone(), store.clone()))
            .with_engagement(Engagement::new(
                store.clone(),
                viral::engagement::into_postgres(store.pool().clone()),
            ))
            .with_progress(Arc::new(Checkpoints::new(store.pool().clone())));
        Api {
            router: router(state.clone()),
            state,
            store,
            commands,
            clock,
            keys: AtomicU64::new(1),
            _stop: stop,
            _projector: projector,
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        *self.clock.lock().unwrap() += by;
    }

    /// The present, as answers spell it.
    pub(crate) fn now(&self) -> String {
        self.clock.lock().unwrap().to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    pub(crate) async fn head(&self) -> u64 {
        self.store.head().await.unwrap().position.0
    }

    /// Waits until all read models have the whole log.
    pub(crate) async fn caught_up(&self) {
        let head = self.store.head().await.unwrap().position;
        let checkpoints = Checkpoints::new(self.store.pool().clone());
        for model in &READ_MODELS {
            checkpoints.wait_for(model.name, head, PATIENCE).await.unwrap();
        }
    }

    /// Every answer is compared with the OpenAPI document.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        };
        let content_type = answer.header("content-type");
        contract::check(method.as_str(), &path, answer.status, content_type, &answer.text);
        answer
    }

    /// A write of the operator, with a fresh key.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {OPERATOR}"))
            .header("content-type", "application/json")
            .header("idempotency-key", self.fresh_key());
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// A read of the operator.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {OPERATOR}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) fn fresh_key(&self) -> String {
        format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed))
    }

    /// The body of a read that must be a success, once the read models have the whole log.
    pub(crate) async fn read_as(&self, who: &crate::people::Person, path: &str) -> Value {
        self.caught_up().await;
        let answer = self.get_as(who, path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(
            answer.header("viral-position"),
            Some(self.head().await.to_string().as_str()),
            "{path}"
        );
        answer.json()
    }

    /// All entries of a list, read page by page, with how many pages there were.
    pub(crate) async fn pages_as(
        &self,
        who: &crate::people::Person,
        path: &str,
        list: &str,
        limit: usize,
    ) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self
                .read_as(who, &format!("{path}{separator}limit={limit}{cursor}"))
                .await;
            let entries = page[list].as_array().unwrap();
            assert!(entries.len() <= limit, "{page}");
            all.extend(entries.iter().cloned());
            let Some(next) = page.get("next_cursor") else {
                return all;
            };
            assert_eq!(entries.len(), limit, "a page that is not full is the last one");
            cursor = format!("&cursor={}", next.as_str().unwrap());
        }
    }

    /// A read that must be refused with this status and code.
    pub(crate) async fn unread_as(&self, who: &crate::people::Person, path: &str, why: (u16, &str)) {
        self.caught_up().await;
        let answer = self.get_as(who, path).await;
        assert_eq!(answer.problem(), (why.0, why.1.to_owned()), "{path}");
    }
}

/// Some fields of an object.
pub(crate) fn only(value: &Value, fields: &[&str]) -> Value {
    fields
        .iter()
        .map(|field| {
            (
                (*field).to_owned(),
                value.get(*field).cloned().unwrap_or(json!("absent")),
            )
        })
        .collect()
}
