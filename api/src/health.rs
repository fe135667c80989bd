//! Whether the process is up, and whether it can do its work.

use crate::kind;
use crate::problem::Problem;
use crate::query::{NoQuery, Params};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::time::Duration;

/// How long the store and the writer may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
    uptime_seconds: u64,
    version: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Ready {
    status: &'static str,
}

/// `GET /healthz`
pub(crate) async fn health(State(state): State<AppState>, _: Params<NoQuery>) -> Json<Health> {
    Json(Health {
        status: "up",
        uptime_seconds: state.uptime().as_secs(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// `GET /readyz`
pub(crate) async fn ready(State(state): State<AppState>, _: Params<NoQuery>) -> Result<Json<Ready>, Problem> {
    let not_ready = |detail: &str| Problem::new(kind::NOT_READY, detail);
    match tokio::time::timeout(PATIENCE, state.store().head()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            return Err(not_ready("the event store cannot be read"));
        }
        Err(_) => return Err(not_ready("the event store does not answer")),
    }
    match tokio::time::timeout(PATIENCE, state.writer()?.read(|_, _| ())).await {
        Ok(Ok(())) => Ok(Json(Ready { status: "ready" })),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            Err(not_ready("the writer cannot follow the log"))
        }
        Err(_) => Err(not_ready("the writer does not answer")),
    }
}
