//! Suspicions of fraud: raising them by hand, and resolving them. A suspicion holds the payouts that it concerns.

mod raise;
mod read;
mod resolve;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const PATH: &str = "/v1/admin/fraud";

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(read::list, raise::raise))
        .routes(routes!(read::get))
        .routes(routes!(resolve::resolve))
}
