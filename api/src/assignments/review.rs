//! A sponsor reviews work.

use super::PATH;
use super::leave::closed;
use crate::kind;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::{Write, Written};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases::{self, ReviewAssignment};
use viral_domain::assignment::{Assignment, AssignmentEvent};
use viral_domain::campaign::{Campaign, CampaignEvent};
use viral_domain::{AssignmentId, Vcoin};

/// What the sponsor thinks of the work.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Review {
    /// `approve`: the reward is paid. `reject`: it goes back into the escrow, and the work may be handed in again.
    verdict: Verdict,
    /// Why it is rejected; not with an approval.
    #[schema(min_length = 1, max_length = 1000)]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Approve,
    Reject,
}

/// Work that was taken: the reward is paid.
#[derive(Serialize, ToSchema)]
#[schema(as = ApprovedAssignment)]
struct Approved {
    /// The assignment's id.
    #[schema(value_type = Uuid)]
    id: AssignmentId,
    /// `approved`.
    #[schema(pattern = "^approved$")]
    status: &'static str,
    /// What was taken out of the escrow.
    #[schema(value_type = schemas::Vcoin)]
    reward_vcoin: Vcoin,
    /// The platform's share of it.
    #[schema(value_type = schemas::Vcoin)]
    fee_vcoin: Vcoin,
    /// What the creator got.
    #[schema(value_type = schemas::Vcoin)]
    net_vcoin: Vcoin,
    /// The ledger's transaction.
    transaction_id: Uuid,
    /// `closed` if this was the last open work of a campaign that was closing.
    #[schema(value_type = schemas::CampaignStatus, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_status: Option<&'static str>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Work that was not taken as it is.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedAssignment)]
struct Rejected {
    /// The assignment's id.
    #[schema(value_type = Uuid)]
    id: AssignmentId,
    /// `rejected`.
    #[schema(pattern = "^rejected$")]
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

/// Work that was reviewed.
#[derive(Serialize, ToSchema)]
#[schema(as = ReviewedAssignment)]
#[serde(untagged)]
enum Reviewed {
    Approved(Approved),
    Rejected(Rejected),
}

/// Review work
///
/// Approval pays the reward out of the escrow, to the creator less the platform's fee. Rejection says why, and lets the
/// reward go back into the escrow.
#[utoipa::path(
    post, path = "/v1/assignments/{id}/review", operation_id = "reviewAssignment", tag = "assignments",
    params(("id" = Uuid, Path, description = "The assignment's id", example = "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a")),
    request_body(content = Review, example = json!({"verdict": "reject", "reason": "the logo is missing"})),
    responses((status = 200, description = "It is reviewed", body = Reviewed,
        example = json!({"id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a", "status": "approved", "reward_vcoin": "500.0000",
            "fee_vcoin": "25.0000", "net_vcoin": "475.0000", "transaction_id": "9c8b7a6f-5e4d-8c3b-a291-807f6e5d4c3b",
            "position": "29", "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn review(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<Review>,
) -> Result<Response, Problem> {
    let assignment = super::id(&id)?;
    let verdict = write.body.verdict()?;
    let path = format!("{PATH}/{assignment}/review");
    let case = ReviewAssignment { assignment, verdict };
    let written = write.run(&state, "assignment.review", &path, &case).await?;
    written.answer(StatusCode::OK, None, &Reviewed::of(&written)?)
}

impl Review {
    fn verdict(&self) -> Result<use_cases::Verdict, Problem> {
        match (self.verdict, &self.reason) {
            (Verdict::Approve, None) => Ok(use_cases::Verdict::Approve),
            (Verdict::Reject, Some(reason)) => Ok(use_cases::Verdict::Reject { reason: reason.clone() }),
            (Verdict::Approve, Some(_)) => Err(invalid("an approval has no reason: leave it out")),
            (Verdict::Reject, None) => Err(invalid("a rejection needs a reason, which the creator reads")),
        }
    }
}

fn invalid(what: &str) -> Problem {
    Problem::new(kind::INVALID_BODY, what).with("field", "reason")
}

impl Reviewed {
    fn of(written: &Written) -> Result<Reviewed, Problem> {
        let (recorded, campaign_status) = (written.recorded()?, closed(written));
        let paid = written.find_if::<Campaign, _>(|event| match event {
            CampaignEvent::RewardPaid(paid) => Some(paid),
            _ => None,
        });
        if let Some(paid) = paid {
            return Ok(Reviewed::Approved(Approved {
                id: paid.assignment,
                status: "approved",
                reward_vcoin: paid.reward_vcoin,
                fee_vcoin: paid.fee_vcoin,
                net_vcoin: paid.net_vcoin,
                transaction_id: paid.transaction,
                campaign_status,
                recorded,
            }));
        }
        let rejected = written.find::<Assignment, _>(|event| match event {
            AssignmentEvent::Rejected(rejected) => Some(rejected),
            _ => None,
        })?;
        Ok(Reviewed::Rejected(Rejected {
            id: rejected.assignment,
            status: "rejected",
            reason: rejected.reason,
            campaign_status,
            recorded,
        }))
    }
}
