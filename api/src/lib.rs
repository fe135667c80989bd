//! The HTTP API of Viral Engine.
//!
//! [`router`] gives the axum router, [`serve()`] runs it until it is told to stop. A request passes, from the outside:
//! its id, access log and time limit (`observe`), a net for panics, the tables of who may do what ([`auth`]), the gate
//! that bounds how many are worked on (`gate`), and the handler of its resource, which reads strictly, builds one unit and hands it to the writer. Whatever goes wrong on
//! the way becomes problem details in one place (`error`), under one of the codes in [`kind`].
//!
//! # How to add a route
//!
//! 1. **A handler** in the file of its resource, with `#[utoipa::path]`: method, path, an `operation_id` and a tag of its
//!    own, parameters, body and success, each with an example. The first line of its doc comment is the summary. Roles,
//!    security, problems and the headers of writes are not said there: the document has them from the tables.
//!    - A write extracts `Write<Body>`, last, and nothing else that says who asks: it has the key, the body and the
//!      caller. `write.run` carries out a use case, once for the key; the answer is made of the unit's events alone.
//!    - A read of read models extracts [`read::Read`]`<Params>`: `reached` waits for `min_position`, `one` and `many`
//!      answer, the first with an entity tag. It documents `params(MinPosition)` and, if it answers with `one`,
//!      `(status = 304, description = "It has not changed")`.
//!    - `caller.owner()` says whose objects the caller may see: look for those of that user only, and answer about
//!      others as if they were not there. `caller.user()` is for routes about "me".
//! 2. **Bodies** are structs with `deny_unknown_fields` and `ToSchema`; texts with a meaning and types of the domain get
//!    their schema by `#[schema(value_type = schemas::…)]` from [`openapi`]'s `schemas`.
//! 3. **One line in [`auth::ROUTES`]**, with its action; a new action is one line in `auth/actions.rs`. The tests have both
//!    tables written out once more.
//! 4. **Mount it**: `.routes(routes!(handler))` in the `routes()` of its file, which [`router`] merges. Handlers of one path
//!    stand in one `routes!`.
//! 5. **Codes** that are new get a line in [`kind`] and one in `docs/API.md`.
//!
//! Tests fail when a route is in one of these places only, when an example does not fit its schema or its strict type, and
//! when any answer that a test gets is not as documented.

pub mod auth;
pub mod kind;
pub mod limits;
pub mod problem;
pub mod serve;
pub mod state;
pub mod tokens;

mod assignments;
mod bodies;
mod campaigns;
mod creators;
mod cursor;
mod dev;
mod engagement;
mod error;
mod events;
mod fraud;
mod gate;
mod health;
mod history;
mod json;
mod ledger;
mod missions;
mod numbers;
mod observe;
pub mod openapi;
mod parse;
mod payouts;
mod query;
pub mod read;
mod recorded;
mod users;
mod wallets;
mod write;

pub use limits::Limits;
pub use read::Progress;
pub use serve::{serve, serve_not_ready, serve_routes};
pub use state::AppState;
pub use tokens::{DevTokens, Tokens, WeakToken};
pub use viral_domain::user::Role;

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
        .layer(from_fn_with_state(state.clone(), gate::enter))
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
        .routes(routes!(events::list))
        .merge(campaigns::routes())
        .merge(missions::routes())
        .merge(assignments::routes())
        .routes(routes!(dev::register))
        .merge(users::routes())
        .routes(routes!(creators::dashboard))
        .merge(wallets::routes())
        .merge(payouts::routes())
        .merge(fraud::routes())
        .merge(engagement::routes())
}

/// Puts around routes what every one of them needs.
fn surround(routes: Router<AppState>, state: AppState) -> Router {
    routes
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(from_fn_with_state(state.clone(), observe::observe))
        .with_state(state)
}
