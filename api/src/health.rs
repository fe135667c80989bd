//! Whether the process is up, and whether it can do its work.

use crate::kind;
use crate::problem::Problem;
use crate::query::{NoQuery, Params};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::Instrument as _;
use utoipa::ToSchema;
use viral_commands::Writer;
use viral_store::{EventStore, StoreError};

/// How long an answer about readiness is given to everybody who asks.
const SHARED_FOR: Duration = Duration::from_secs(1);
/// How long the store and the writer may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process is up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `up`.
    status: &'static str,
    /// For how long.
    uptime_seconds: u64,
    /// The platform's version.
    version: &'static str,
}

impl Health {
    /// Of a process that is up for so long.
    pub(crate) fn of(uptime: Duration) -> Health {
        Health {
            status: "up",
            uptime_seconds: uptime.as_secs(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// The platform can do its work.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready`.
    status: &'static str,
}

/// Is the process up?
#[utoipa::path(
    get, path = "/healthz", operation_id = "getHealth", tag = "health",
    responses((status = 200, description = "It is", body = Health,
        example = json!({"status": "up", "uptime_seconds": 12, "version": "0.1.0"}))),
)]
pub(crate) async fn health(State(state): State<AppState>, _: Params<NoQuery>) -> Json<Health> {
    Json(Health::of(state.uptime()))
}

/// Can the platform do its work?
///
/// Whether the head of the log can be read and the writer answers, each within 2 s, the log still has everything that this
/// process has read (otherwise `log_went_back`, with both positions), and the clock of its server was not set meanwhile
/// (otherwise `clock_leapt`). One answer serves everybody who asks within 1 s of it.
#[utoipa::path(
    get, path = "/readyz", operation_id = "getReadiness", tag = "health",
    responses((status = 200, description = "It can", body = Ready, example = json!({"status": "ready"}))),
)]
pub(crate) async fn ready(State(state): State<AppState>, _: Params<NoQuery>) -> Result<Json<Ready>, Problem> {
    let writer = state.writer()?;
    let store = writer.store().clone();
    state.readiness().get(store, writer).await?;
    Ok(Json(Ready { status: "ready" }))
}

/// Whether the platform was ready a moment ago. Anybody may ask, so the store and the writer are not asked each time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness(Arc<Mutex<Option<Known>>>);

#[derive(Debug)]
struct Known {
    answer: Result<(), Problem>,
    since: Instant,
}

impl Readiness {
    /// The last answer, if it is new enough; otherwise a new one, which everybody waits for who asks meanwhile.
    async fn get(&self, store: Arc<dyn EventStore>, writer: Writer) -> Result<(), Problem> {
        let mut known = self.0.clone().lock_owned().await;
        if let Some(known) = known.as_ref().filter(|known| known.since.elapsed() < SHARED_FOR) {
            return known.answer.clone();
        }
        // A task of its own: callers who hang up at once do not make the next one ask again.
        let check = async move {
            let answer = check(store.as_ref(), &writer).await;
            let since = Instant::now();
            known.insert(Known { answer, since }).answer.clone()
        };
        tokio::spawn(check.in_current_span())
            .await
            .unwrap_or_else(|_| Err(Problem::new(kind::NOT_READY, "readiness could not be checked")))
    }
}

async fn check(store: &dyn EventStore, writer: &Writer) -> Result<(), Problem> {
    let not_ready = |detail: &str| Problem::new(kind::NOT_READY, detail);
    // What was noticed stays so until the process is started again; asking the head may notice it.
    if let Some(went_back) = store.continuity().went_back() {
        return Err(StoreError::from(went_back).into());
    }
    match tokio::time::timeout(PATIENCE, store.head_on()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error @ StoreError::WentBack(_))) => return Err(error.into()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            return Err(not_ready("the event store cannot be read"));
        }
        Err(_) => return Err(not_ready("the event store does not answer")),
    }
    match tokio::time::timeout(PATIENCE, writer.probe()).await {
        // The writer has looked at the clock as well.
        Ok(Ok(())) => Ok(store.continuity().check()?),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Err(not_ready("the writer cannot follow the log"))
        }
        Err(_) => Err(not_ready("the writer does not answer")),
    }
}
