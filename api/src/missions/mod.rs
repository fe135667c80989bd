//! Missions: what a campaign asks creators to do. Sponsors add them, invite creators or open them to all; creators take
//! part and hand in work.

mod add;
mod assign;
mod close;
mod deliver;
mod read;

use crate::parse;
use crate::problem::Problem;
use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viral_domain::MissionId;

const PATH: &str = "/v1/missions";

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(read::list, add::add))
        .routes(routes!(read::get))
        .routes(routes!(assign::assign))
        .routes(routes!(close::close))
        .routes(routes!(deliver::submit))
}

fn id(text: &str) -> Result<MissionId, Problem> {
    parse::id(text).map(MissionId)
}
