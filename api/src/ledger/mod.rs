//! The ledger's resources, under `/v1/ledger`. One file per resource; `views` has what they look like from outside.

mod accounts;
mod balance;
mod holds;
mod periods;
mod reversal;
mod transactions;
mod trial_balance;
mod views;

use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(accounts::list, accounts::open))
        .routes(routes!(accounts::get))
        .routes(routes!(balance::get))
        .routes(routes!(accounts::freeze))
        .routes(routes!(accounts::unfreeze))
        .routes(routes!(accounts::close))
        .routes(routes!(transactions::list, transactions::post))
        .routes(routes!(transactions::get))
        .routes(routes!(reversal::reverse))
        .routes(routes!(trial_balance::get))
        .routes(routes!(holds::list, holds::place))
        .routes(routes!(holds::get))
        .routes(routes!(holds::capture))
        .routes(routes!(holds::void))
        .routes(routes!(periods::close))
}
