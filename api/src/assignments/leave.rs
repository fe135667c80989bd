//! A creator declines an invitation, or gives a place back.

use super::PATH;
use crate::bodies::WithReason;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::{Write, Written};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use viral_commands::use_cases::{DeclineAssignment, WithdrawAssignment};
use viral_domain::AssignmentId;
use viral_domain::assignment::{Assignment, AssignmentEvent};
use viral_domain::campaign::{Campaign, CampaignEvent};

/// An assignment that its creator left.
#[derive(Serialize, ToSchema)]
#[schema(as = LeftAssignment)]
struct Left {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: AssignmentId,
    /// `declined` or `withdrawn`.
    #[schema(value_type = schemas::AssignmentStatus)]
    status: &'static str,
    /// Why.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `closed` if this was the last open work of a campaign that was closing.
    #[schema(value_type = schemas::CampaignStatus, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_status: Option<&'static str>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Decline an invitation
#[utoipa::path(
    post, path = "/v1/assignments/{id}/decline", operation_id = "declineAssignment", tag = "assignments",
    params(("id" = Uuid, Path, description = "The assignment's id", example = "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a")),
    request_body(content = Option<WithReason>, example = json!({"reason": "no time"})),
    responses((status = 200, description = "It is declined", body = Left,
        example = json!({"id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a", "status": "declined", "reason": "no time",
            "position": "21", "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn decline(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<WithReason>,
) -> Result<Response, Problem> {
    let assignment = super::id(&id)?;
    let reason = write.body.reason.clone();
    let path = format!("{PATH}/{assignment}/decline");
    let case = DeclineAssignment { assignment, reason };
    let written = write.run(&state, "assignment.decline", &path, &case).await?;
    left(&written)
}

/// Withdraw from a mission
///
/// Gives the place back, before the work is reviewed: the reward goes back into the escrow.
#[utoipa::path(
    post, path = "/v1/assignments/{id}/withdraw", operation_id = "withdrawAssignment", tag = "assignments",
    params(("id" = Uuid, Path, description = "The assignment's id", example = "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a")),
    request_body(content = Option<WithReason>, example = json!({"reason": "no time"})),
    responses((status = 200, description = "It is withdrawn", body = Left,
        example = json!({"id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a", "status": "withdrawn", "reason": "no time",
            "position": "27", "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn withdraw(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<WithReason>,
) -> Result<Response, Problem> {
    let assignment = super::id(&id)?;
    let reason = write.body.reason.clone();
    let path = format!("{PATH}/{assignment}/withdraw");
    let case = WithdrawAssignment { assignment, reason };
    let written = write.run(&state, "assignment.withdraw", &path, &case).await?;
    left(&written)
}

fn left(written: &Written) -> Result<Response, Problem> {
    let (status, left) = written.find::<Assignment, _>(|event| match event {
        AssignmentEvent::Declined(left) => Some(("declined", left)),
        AssignmentEvent::Withdrawn(left) => Some(("withdrawn", left)),
        _ => None,
    })?;
    let answer = Left {
        id: left.assignment,
        status,
        reason: left.reason,
        campaign_status: closed(written),
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &answer)
}

/// The campaign's status, if this was the last open work of a campaign that was closing.
pub(super) fn closed(written: &Written) -> Option<&'static str> {
    written.find_if::<Campaign, _>(|event| matches!(event, CampaignEvent::Closed(_)).then_some("closed"))
}
