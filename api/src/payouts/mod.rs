//! Payouts: from a creator's request over the approvals to money at a bank, or back in the wallet.

mod ended;
mod outcome;
mod read;
mod request;
mod review;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const PATH: &str = "/v1/payouts";

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(request::request))
        .routes(routes!(read::list))
        .routes(routes!(read::get))
        .routes(routes!(request::cancel))
        .routes(routes!(review::approve))
        .routes(routes!(review::reject))
        .routes(routes!(outcome::report))
}
