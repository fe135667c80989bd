//! The HTTP API of Viral Engine.
//!
//! [`router`] gives the axum router, [`serve()`] runs it until it is told to stop. A request passes, from the outside:
//! its id, access log and time limit (`observe`), a net for panics, the tables of who may do what ([`auth`]), and the
//! handler of its resource, which reads strictly, builds one unit and hands it to the writer. Whatever goes wrong on
//! the way becomes problem details in one place (`error`), under one of the codes in [`kind`].

pub mod auth;
pub mod kind;
pub mod problem;
pub mod serve;
pub mod state;
pub mod tokens;

mod cursor;
mod error;
mod health;
mod history;
mod json;
mod ledger;
mod observe;
pub mod openapi;
mod parse;
mod query;
mod write;

pub use viral_domain::user::Role;
pub use serve::serve;
pub use state::AppState;
pub use tokens::{DevTokens, Tokens, WeakToken};

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::{Router, http::StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest body of a request, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// All routes, with everything around them.
pub fn router(state: AppState) -> Router {
    let (routes, _) = routes().split_for_parts();
    let routes = routes
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(from_fn_with_state(state.clone(), auth::authorise));
    surround(routes, state)
}

/// All routes, and what the OpenAPI document says of them.
fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::get))
        .routes(routes!(openapi::page::redirect))
        .routes(routes!(openapi::page::index))
        .routes(routes!(openapi::page::file))
        .merge(ledger::routes())
}

/// Puts around routes what every one of them needs.
fn surround(routes: Router<AppState>, state: AppState) -> Router {
    routes
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(state.clone(), observe::observe))
        .with_state(state)
}
