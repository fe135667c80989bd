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
use axum::Router;
use axum::routing::{get, post};

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/ledger/accounts", get(accounts::list).post(accounts::open))
        .route("/v1/ledger/accounts/{address}", get(accounts::get))
        .route("/v1/ledger/accounts/{address}/balance", get(balance::get))
        .route("/v1/ledger/accounts/{address}/freeze", post(accounts::freeze))
        .route("/v1/ledger/accounts/{address}/unfreeze", post(accounts::unfreeze))
        .route("/v1/ledger/accounts/{address}/close", post(accounts::close))
        .route(
            "/v1/ledger/transactions",
            get(transactions::list).post(transactions::post),
        )
        .route("/v1/ledger/transactions/{id}", get(transactions::get))
        .route("/v1/ledger/transactions/{id}/reverse", post(reversal::reverse))
        .route("/v1/ledger/trial-balance", get(trial_balance::get))
        .route("/v1/ledger/holds", get(holds::list).post(holds::place))
        .route("/v1/ledger/holds/{id}", get(holds::get))
        .route("/v1/ledger/holds/{id}/capture", post(holds::capture))
        .route("/v1/ledger/holds/{id}/void", post(holds::void))
        .route("/v1/ledger/periods/close", post(periods::close))
}
