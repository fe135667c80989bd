//! Assignments: creators' parts in missions. Creators accept, decline or give them back, sponsors review the work.

mod accept;
mod leave;
mod read;
mod review;

pub(crate) use accept::Accepted;

use crate::parse;
use crate::problem::Problem;
use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viral_domain::AssignmentId;

const PATH: &str = "/v1/assignments";

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(read::list))
        .routes(routes!(read::get))
        .routes(routes!(accept::accept))
        .routes(routes!(leave::decline))
        .routes(routes!(leave::withdraw))
        .routes(routes!(review::review))
}

fn id(text: &str) -> Result<AssignmentId, Problem> {
    parse::id(text).map(AssignmentId)
}
