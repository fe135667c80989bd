//! Approving and rejecting payouts.

use super::ended::{EndedPayout, ended};
use crate::parse;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases;
use viral_domain::PayoutId;
use viral_domain::payout::{Approval, Payout, PayoutEvent, Status};

/// An approval.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovePayout {
    /// The payout's digest, as it was read together with payee and amount.
    digest: String,
    /// A one-time password. Only `--dev` does without.
    totp: Option<String>,
}

/// A payout that was approved.
#[derive(Serialize, ToSchema)]
#[schema(as = ApprovedPayout)]
struct Approved {
    /// The payout's id.
    id: Uuid,
    /// `approved`, or `sponsor_approved` if an admin must approve too.
    status: &'static str,
    /// What was approved.
    digest: String,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Approve a payout
///
/// As the sponsor of the campaign where it was earned, or, above the limit and after the sponsor, as an admin. Nobody
/// approves a payout to themselves.
#[utoipa::path(
    post, path = "/v1/payouts/{id}/approve", operation_id = "approvePayout", tag = "payouts",
    params(("id" = Uuid, Path, description = "The payout's id", example = "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10")),
    request_body(content = ApprovePayout,
        example = json!({"digest": "0f1c2a9be4f0d0a4b6b3a7d3e8f5c6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d"})),
    responses((status = 200, description = "It is approved", body = Approved,
        example = json!({"id": "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10", "status": "approved",
            "digest": "0f1c2a9be4f0d0a4b6b3a7d3e8f5c6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d", "position": "49",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn approve(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<ApprovePayout>,
) -> Result<Response, Problem> {
    let payout = PayoutId(parse::id(&id)?);
    let case = use_cases::ApprovePayout {
        payout,
        digest: write.body.digest.clone(),
        totp: write.body.totp.clone(),
    };
    let path = format!("{}/{payout}/approve", super::PATH);
    let written = write.run(&state, "payout.approve", &path, &case).await?;
    let approval = written.find::<Payout, _>(approval)?;
    let all = written.find_if::<Payout, _>(|event| matches!(event, PayoutEvent::Approved(_)).then_some(()));
    let answer = Approved {
        id: approval.payout.0,
        status: all.map_or(Status::SponsorApproved, |()| Status::Approved).as_str(),
        digest: approval.digest,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &answer)
}

/// The approval that an event records.
fn approval(event: PayoutEvent) -> Option<Approval> {
    match event {
        PayoutEvent::SponsorApproved(approval) => Some(approval),
        PayoutEvent::Approved(approved) => approved.admin,
        _ => None,
    }
}

/// A refusal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectPayout {
    /// Why, for the creator: one line, at most 1,000 characters.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// Reject a payout
///
/// As the sponsor of the campaign where it was earned, or as an admin, before it is sent. The V-Coin is back in the
/// creator's wallet.
#[utoipa::path(
    post, path = "/v1/payouts/{id}/reject", operation_id = "rejectPayout", tag = "payouts",
    params(("id" = Uuid, Path, description = "The payout's id", example = "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10")),
    request_body(content = RejectPayout, example = json!({"reason": "the video was taken down"})),
    responses((status = 200, description = "It is rejected", body = EndedPayout,
        example = json!({"id": "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10", "status": "rejected", "amount_vcoin": "80.0000",
            "reason": "the video was taken down", "transaction_id": "d4a7c0b3-9e1f-8c25-a6b8-40f2e7d19c53",
            "position": "52", "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn reject(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<RejectPayout>,
) -> Result<Response, Problem> {
    let payout = PayoutId(parse::id(&id)?);
    let reason = write.body.reason.clone();
    let path = format!("{}/{payout}/reject", super::PATH);
    let case = use_cases::RejectPayout { payout, reason };
    ended(&write.run(&state, "payout.reject", &path, &case).await?)
}
