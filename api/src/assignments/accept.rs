//! A creator takes part.

use super::PATH;
use crate::bodies::NoFields;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::{Write, Written};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases::AcceptAssignment;
use viral_domain::assignment::{Assignment, AssignmentEvent};
use viral_domain::{AssignmentId, BasisPoints, CampaignId, MissionId, UserId, Vcoin};
use viral_ledger::timestamp;

/// An assignment that was accepted, and its terms.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedAssignment)]
pub(crate) struct Accepted {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: AssignmentId,
    /// In which campaign.
    #[schema(value_type = Uuid)]
    campaign_id: CampaignId,
    /// In which mission.
    #[schema(value_type = Uuid)]
    mission_id: MissionId,
    /// Whose part.
    #[schema(value_type = Uuid)]
    creator_id: UserId,
    /// `accepted`.
    #[schema(value_type = schemas::AssignmentStatus)]
    status: &'static str,
    /// What it pays, the platform's fee included.
    #[schema(value_type = schemas::Vcoin)]
    reward_vcoin: Vcoin,
    /// The fee in hundredths of a percent, fixed from now on.
    #[schema(value_type = schemas::BasisPoints)]
    fee_bps: BasisPoints,
    /// Until when work can be submitted.
    #[serde(with = "timestamp")]
    #[schema(value_type = schemas::Time)]
    deadline: DateTime<Utc>,
    /// The hold of the reward on the campaign's escrow.
    hold_id: Uuid,
    #[serde(flatten)]
    recorded: Recorded,
}

impl Accepted {
    pub(crate) fn of(written: &Written) -> Result<Accepted, Problem> {
        let accepted = written.find::<Assignment, _>(|event| match event {
            AssignmentEvent::Accepted(accepted) => Some(accepted),
            _ => None,
        })?;
        let offer = accepted.offer;
        Ok(Accepted {
            id: offer.assignment,
            campaign_id: offer.campaign,
            mission_id: offer.mission,
            creator_id: offer.creator,
            status: "accepted",
            reward_vcoin: offer.reward_vcoin,
            fee_bps: accepted.fee_bps,
            deadline: offer.deadline,
            hold_id: accepted.hold,
            recorded: written.recorded()?,
        })
    }

    /// Where the assignment can be read.
    pub(crate) fn path(&self) -> String {
        format!("{PATH}/{}", self.id)
    }
}

/// Accept an invitation
///
/// Takes a place in the mission and holds its reward in the campaign's escrow.
#[utoipa::path(
    post, path = "/v1/assignments/{id}/accept", operation_id = "acceptAssignment", tag = "assignments",
    params(("id" = Uuid, Path, description = "The assignment's id", example = "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a")),
    request_body(content = Option<NoFields>, example = json!({})),
    responses((status = 200, description = "It is accepted", body = Accepted,
        example = json!({"id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a", "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "mission_id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f", "creator_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59",
            "status": "accepted", "reward_vcoin": "500.0000", "fee_bps": 500, "deadline": "2026-04-01T00:00:00.000000Z",
            "hold_id": "9c8b7a6f-5e4d-8c3b-a291-807f6e5d4c3b", "position": "23",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn accept(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<NoFields>,
) -> Result<Response, Problem> {
    let assignment = super::id(&id)?;
    let path = format!("{PATH}/{assignment}/accept");
    let written = write
        .run(&state, "assignment.accept", &path, &AcceptAssignment { assignment })
        .await?;
    written.answer(StatusCode::OK, None, &Accepted::of(&written)?)
}
