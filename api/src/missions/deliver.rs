//! A creator hands in work.

use super::PATH;
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use viral_commands::use_cases::SubmitDeliverable;
use viral_domain::assignment::{Assignment, AssignmentEvent, Deliverable};
use viral_domain::{AssignmentId, MissionId};

/// Work: either a link or a stream, and what else the mission asks for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDeliverable {
    /// Where it can be seen.
    #[schema(max_length = 2000, example = "https://video.example/a-launch")]
    url: Option<String>,
    /// The stream that it was done in.
    #[schema(value_type = Option<Uuid>)]
    stream_id: Option<String>,
    /// What the mission's requirements ask for beside the link.
    #[serde(default)]
    #[schema(value_type = Object)]
    details: Map<String, Value>,
}

/// Work that was handed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Submission)]
struct Submitted {
    /// Which assignment.
    #[schema(value_type = Uuid)]
    assignment_id: AssignmentId,
    /// Which mission.
    #[schema(value_type = Uuid)]
    mission_id: MissionId,
    /// `submitted`.
    #[schema(value_type = schemas::AssignmentStatus)]
    status: &'static str,
    /// Which submission of this assignment, from 1.
    submission: u32,
    /// The work.
    #[schema(value_type = schemas::Deliverable)]
    deliverable: Deliverable,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Submit a deliverable
///
/// For the creator's own assignment in the mission, before the deadline. It must fit the mission's requirements. After a
/// rejection it may be handed in again, as long as there is a free place whose reward the escrow covers.
#[utoipa::path(
    post, path = "/v1/missions/{id}/deliverables", operation_id = "submitDeliverable", tag = "missions",
    params(("id" = Uuid, Path, description = "The mission's id", example = "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f")),
    request_body(content = NewDeliverable, example = json!({"url": "https://video.example/a-launch",
        "details": {"language": "en"}})),
    responses((status = 201, description = "It is submitted", body = Submitted,
        example = json!({"assignment_id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a", "mission_id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f",
            "status": "submitted", "submission": 1, "deliverable": {"details": {"language": "en"},
            "url": "https://video.example/a-launch"}, "position": "26", "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn submit(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<NewDeliverable>,
) -> Result<Response, Problem> {
    let mission = super::id(&id)?;
    let body = &write.body;
    let stream_id = body.stream_id.as_deref();
    let deliverable = Deliverable {
        details: body.details.clone(),
        stream_id: stream_id.map(|text| Place::field("stream_id").id(text)).transpose()?,
        url: body.url.clone(),
    };
    let path = format!("{PATH}/{mission}/deliverables");
    let case = SubmitDeliverable { mission, deliverable };
    let written = write.run(&state, "mission.deliver", &path, &case).await?;
    let submitted = written.find::<Assignment, _>(|event| match event {
        AssignmentEvent::Submitted(submitted) => Some(submitted),
        _ => None,
    })?;
    let location = format!("/v1/assignments/{}", submitted.assignment);
    let answer = Submitted {
        assignment_id: submitted.assignment,
        mission_id: mission,
        status: "submitted",
        submission: submitted.submission,
        deliverable: submitted.deliverable,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::CREATED, Some(location), &answer)
}
