//! Asking for a payout, and taking that back.

use super::ended::ended;
use crate::bodies::WithReason;
use crate::json::AmountText;
use crate::openapi::schemas;
use crate::parse::{self, Place};
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
use viral_commands::use_cases::{self, CancelPayout};
use viral_domain::payout::{Payout, PayoutEvent, Status};
use viral_domain::{CampaignId, Money, PayoutId, Rate, Vcoin};

/// A payout to ask for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestPayout {
    /// Where it was earned.
    #[schema(value_type = Uuid)]
    campaign_id: String,
    /// How much, at most what was earned there and not taken out.
    #[schema(value_type = schemas::Amount)]
    amount_vcoin: AmountText,
}

/// A payout that was asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestedPayout)]
struct Requested {
    /// The payout's id.
    id: Uuid,
    /// `requested`.
    status: &'static str,
    /// Whether a suspicion of fraud stops it from the beginning.
    held: bool,
    /// Where it was earned.
    campaign_id: Uuid,
    /// The payee.
    creator_id: Uuid,
    /// Who must approve.
    sponsor_id: Uuid,
    /// How much.
    #[schema(value_type = schemas::Vcoin)]
    amount_vcoin: Vcoin,
    /// What the payee gets.
    #[schema(value_type = schemas::Money)]
    fiat: Money,
    /// What one V-Coin is worth in it.
    #[schema(value_type = schemas::Rate)]
    rate: Rate,
    /// What approvals are bound to.
    digest: String,
    /// Whether it is so much that an admin must approve beside the sponsor.
    needs_admin: bool,
    /// The ledger's transaction, out of the wallet.
    transaction_id: Uuid,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Ask for a payout
///
/// Takes V-Coin out of the wallet into the payout's own account, where it stays until it is paid or back.
#[utoipa::path(
    post, path = "/v1/wallets/payout", operation_id = "requestPayout", tag = "payouts",
    request_body(content = RequestPayout, example = json!({"campaign_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
        "amount_vcoin": "80"})),
    responses((status = 201, description = "It waits for the sponsor's approval", body = Requested,
        example = json!({"id": "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10", "status": "requested", "held": false,
            "campaign_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", "creator_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "sponsor_id": "2f8b6c1d-7e3a-8c94-a05b-93d1e4f7a6c2", "amount_vcoin": "80.0000",
            "fiat": {"amount": "0.80", "asset": "USD"}, "rate": "0.01",
            "digest": "0f1c2a9be4f0d0a4b6b3a7d3e8f5c6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d", "needs_admin": false,
            "transaction_id": "b1f6a1d2-4c3e-8b7a-8e21-5f0d9c3a7b88", "position": "47",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn request(State(state): State<AppState>, write: Write<RequestPayout>) -> Result<Response, Problem> {
    let amount = Place::field("amount_vcoin").vcoin(&write.body.amount_vcoin)?;
    let case = use_cases::RequestPayout {
        campaign: CampaignId(Place::field("campaign_id").id(&write.body.campaign_id)?),
        amount,
    };
    let written = write.run(&state, "payout.request", "/v1/wallets/payout", &case).await?;
    let answer = requested(&written)?;
    let location = format!("{}/{}", super::PATH, answer.id);
    written.answer(StatusCode::CREATED, Some(location), &answer)
}

fn requested(written: &Written) -> Result<Requested, Problem> {
    let requested = written.find::<Payout, _>(|event| match event {
        PayoutEvent::Requested(requested) => Some(requested),
        _ => None,
    })?;
    let held = written.find_if::<Payout, _>(|event| matches!(event, PayoutEvent::Held(_)).then_some(()));
    Ok(Requested {
        id: requested.payout.0,
        status: Status::Requested.as_str(),
        held: held.is_some(),
        campaign_id: requested.campaign.0,
        creator_id: requested.creator.0,
        sponsor_id: requested.sponsor.0,
        amount_vcoin: requested.amount_vcoin,
        fiat: requested.fiat,
        rate: requested.rate,
        needs_admin: requested.needs_admin(),
        digest: requested.digest,
        transaction_id: requested.transaction,
        recorded: written.recorded()?,
    })
}

/// Take a request for a payout back
///
/// Before it is sent. The V-Coin is back in the wallet.
#[utoipa::path(
    post, path = "/v1/payouts/{id}/cancel", operation_id = "cancelPayout", tag = "payouts",
    params(("id" = Uuid, Path, description = "The payout's id", example = "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10")),
    request_body(content = Option<WithReason>, example = json!({"reason": "not needed any more"})),
    responses((status = 200, description = "It is cancelled", body = super::ended::EndedPayout,
        example = json!({"id": "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10", "status": "cancelled", "amount_vcoin": "80.0000",
            "reason": "not needed any more", "transaction_id": "d4a7c0b3-9e1f-8c25-a6b8-40f2e7d19c53", "position": "52",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn cancel(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<WithReason>,
) -> Result<Response, Problem> {
    let payout = PayoutId(parse::id(&id)?);
    let reason = write.body.reason.clone();
    let path = format!("{}/{payout}/cancel", super::PATH);
    let case = CancelPayout { payout, reason };
    ended(&write.run(&state, "payout.cancel", &path, &case).await?)
}
