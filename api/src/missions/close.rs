//! A mission takes nobody new any more.

use super::PATH;
use crate::bodies::NoFields;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use viral_commands::use_cases::CloseMission;
use viral_domain::MissionId;
use viral_domain::campaign::{Campaign, CampaignEvent};

/// A mission that was closed.
#[derive(Serialize, ToSchema)]
#[schema(as = ClosedMission)]
struct Closed {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: MissionId,
    /// `closed`.
    #[schema(value_type = schemas::MissionStatus)]
    status: &'static str,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Close a mission
///
/// Nobody new can take part, and invitations to it become void. Work that has begun goes on.
#[utoipa::path(
    post, path = "/v1/missions/{id}/close", operation_id = "closeMission", tag = "missions",
    params(("id" = Uuid, Path, description = "The mission's id", example = "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f")),
    request_body(content = Option<NoFields>, example = json!({})),
    responses((status = 200, description = "It is closed", body = Closed,
        example = json!({"id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f", "status": "closed", "position": "25",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn close(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<NoFields>,
) -> Result<Response, Problem> {
    let mission = super::id(&id)?;
    let path = format!("{PATH}/{mission}/close");
    let written = write
        .run(&state, "mission.close", &path, &CloseMission { mission })
        .await?;
    let closed = written.find::<Campaign, _>(|event| match event {
        CampaignEvent::MissionClosed(closed) => Some(closed),
        _ => None,
    })?;
    let answer = Closed {
        id: closed.mission,
        status: "closed",
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &answer)
}
