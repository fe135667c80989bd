//! Wallets: what is in them, and how V-Coin gets there.

mod on_ramp;
mod read;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(read::own))
        .routes(routes!(read::of_user))
        .routes(routes!(on_ramp::buy))
}
