//! Assignments: those of a campaign, and one.

use crate::campaigns::{self, View};
use crate::cursor::{self, Cursor};
use crate::kind;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::query::{self, NoQuery};
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_domain::assignment::Status;
use viral_domain::{AssignmentId, UserId};
use viral_projections::queries::Assignment;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// Only assignments in this status.
    #[param(value_type = schemas::AssignmentStatus, required = false)]
    status: Option<String>,
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
}

/// A page of a campaign's assignments.
#[derive(Serialize, ToSchema)]
#[schema(as = Assignments)]
struct Page {
    /// By their deadline.
    #[schema(value_type = Vec<schemas::Assignment>)]
    assignments: Vec<Assignment>,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List a campaign's assignments
///
/// By their deadline.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/assignments", operation_id = "listAssignments", tag = "assignments",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"),
        ListParams, MinPosition),
    responses((status = 200, description = "A page", body = Page,
        example = json!({"assignments": [{"id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a",
            "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "mission_id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f",
            "creator_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "sponsor_id": "1f2e3d4c-5b6a-8978-a695-b4c3d2e1f0a9",
            "status": "invited", "reward_vcoin": "500.0000", "fee_bps": null, "fee_vcoin": null, "net_vcoin": null,
            "deadline": "2026-04-01T00:00:00.000000Z", "submissions": 0, "deliverable": null, "deliverable_url": null,
            "reason": null, "invited_at": "2026-03-01T12:00:00.000000Z", "accepted_at": null, "submitted_at": null,
            "resolved_at": null}]}))),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<ListParams>,
) -> Result<Response, Problem> {
    let campaign = campaigns::id(&id)?;
    let params = &read.params;
    let limit = query::limit(params.limit.as_deref())?;
    let after = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Assignments(key)) => Some(key),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let status = params.status.as_deref().map(status).transpose()?;
    let view = View::of(&read.caller)?;
    read.reached(&state, &["campaigns"]).await?;
    let found = state
        .read_models()?
        .assignments_of(campaign, status, after, limit)
        .await?;
    let page = found.value.filter(|page| view.has(page.sponsor_id));
    let page = page.ok_or_else(|| campaigns::unknown(campaign))?.value;
    let page = Page {
        assignments: page.items,
        next_cursor: page.next.map(|key| Cursor::Assignments(key).to_text()),
    };
    read.many(found.position, &page)
}

fn status(text: &str) -> Result<Status, Problem> {
    let mut all = Status::ALL.into_iter().filter(|status| *status != Status::Missing);
    all.find(|status| status.as_str() == text).ok_or_else(|| {
        let detail =
            "status: invited, accepted, submitted, approved, rejected, declined, withdrawn, expired or cancelled";
        Problem::new(kind::INVALID_QUERY, detail).with("field", "status")
    })
}

/// Get an assignment
#[utoipa::path(
    get, path = "/v1/assignments/{id}", operation_id = "getAssignment", tag = "assignments",
    params(("id" = Uuid, Path, description = "The assignment's id", example = "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a"), MinPosition),
    responses(
        (status = 200, description = "The assignment", body = schemas::Assignment,
            example = json!({"id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a",
                "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "mission_id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f",
                "creator_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "sponsor_id": "1f2e3d4c-5b6a-8978-a695-b4c3d2e1f0a9",
                "status": "approved", "reward_vcoin": "500.0000", "fee_bps": 500, "fee_vcoin": "25.0000",
                "net_vcoin": "475.0000", "deadline": "2026-04-01T00:00:00.000000Z", "submissions": 1,
                "deliverable": {"url": "https://video.example/a-launch"},
                "deliverable_url": "https://video.example/a-launch", "reason": null,
                "invited_at": "2026-03-01T12:00:00.000000Z", "accepted_at": "2026-03-01T12:01:00.000000Z",
                "submitted_at": "2026-03-01T12:02:00.000000Z", "resolved_at": "2026-03-01T12:03:00.000000Z"})),
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
    let found = state.read_models()?.assignment(id).await?;
    let assignment = found.value.filter(|assignment| sees(view, assignment));
    let assignment = assignment.ok_or_else(|| unknown(id))?;
    read.one(found.position, &assignment)
}

/// Creators see their own parts, sponsors those in their campaigns.
fn sees(view: View, assignment: &Assignment) -> bool {
    match view {
        View::Everything => true,
        View::Sponsor(sponsor) => UserId(assignment.sponsor_id) == sponsor,
        View::Creator(creator) => UserId(assignment.creator_id) == creator,
    }
}

fn unknown(assignment: AssignmentId) -> Problem {
    Problem::new(kind::UNKNOWN_ASSIGNMENT, format!("there is no assignment {assignment}"))
}
