//! What is answered while the platform cannot work yet: it is up, and not ready.

use crate::health::Health;
use crate::kind;
use crate::observe;
use crate::problem::Problem;
use axum::middleware::from_fn;
use axum::routing::get;
use axum::{Json, Router};
use std::time::Instant;

/// The routes of a process that starts.
pub(super) fn routes() -> Router {
    let started = Instant::now();
    Router::new()
        .route("/healthz", get(async move || Json(Health::of(started.elapsed()))))
        .fallback(async || {
            let detail = "the platform starts, or waits for its database: try again in a moment";
            Problem::new(kind::NOT_READY, detail)
        })
        .layer(from_fn(observe::identify))
}
