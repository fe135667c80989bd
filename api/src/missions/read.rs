//! Missions: those of a campaign, and one.

use crate::campaigns::{self, View};
use crate::kind;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use viral_domain::MissionId;
use viral_projections::queries::Mission;

/// The missions of a campaign.
#[derive(Serialize, ToSchema)]
struct Missions {
    /// The oldest first; a campaign has at most 200.
    #[schema(value_type = Vec<schemas::Mission>)]
    missions: Vec<Mission>,
}

/// List a campaign's missions
///
/// All of them, the oldest first.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/missions", operation_id = "listMissions", tag = "missions",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"), MinPosition),
    responses((status = 200, description = "The missions", body = Missions,
        example = json!({"missions": [{"id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f",
            "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "mission_type": "video",
            "requirements": {"required": ["url"]}, "reward_vcoin": "500.0000", "deadline": "2026-04-01T00:00:00.000000Z",
            "places": 3, "places_taken": 2, "open_call": false, "status": "open"}]}))),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<NoQuery>,
) -> Result<Response, Problem> {
    let campaign = campaigns::id(&id)?;
    let view = View::of(&read.caller)?;
    read.reached(&state, &["campaigns"]).await?;
    let found = state.read_models()?.missions_of(campaign, view.creator()).await?;
    let missions = found.value.filter(|missions| view.has(missions.sponsor_id));
    let missions = missions.ok_or_else(|| campaigns::unknown(campaign))?.value;
    read.many(found.position, &Missions { missions })
}

/// Get a mission
#[utoipa::path(
    get, path = "/v1/missions/{id}", operation_id = "getMission", tag = "missions",
    params(("id" = Uuid, Path, description = "The mission's id", example = "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f"), MinPosition),
    responses(
        (status = 200, description = "The mission", body = schemas::Mission,
            example = json!({"id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f",
                "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "mission_type": "video",
                "requirements": {"required": ["url"]}, "reward_vcoin": "500.0000",
                "deadline": "2026-04-01T00:00:00.000000Z", "places": 3, "places_taken": 2, "open_call": false,
                "status": "open"})),
        (status = 304, description = "It has not changed"),
    ),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<NoQuery>,
) -> Result<Response, Problem> {
    let id = super::id(&id)?;
    let view = View::of(&read.caller)?;
    read.reached(&state, &["campaigns"]).await?;
    let found = state.read_models()?.mission(id, view.creator()).await?;
    let mission = found.value.filter(|mission| view.has(mission.sponsor_id));
    let mission = mission.ok_or_else(|| unknown(id))?.value;
    read.one(found.position, &mission)
}

fn unknown(mission: MissionId) -> Problem {
    Problem::new(kind::UNKNOWN_MISSION, format!("there is no mission {mission}"))
}
