//! The money of campaigns: filling the escrow, and ending a campaign, which empties it. Both can be tried without
//! happening.

use super::PATH;
use crate::bodies::{DryRun, NoFields};
use crate::json::AmountText;
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
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases::{CloseCampaign, FundCampaign};
use viral_domain::campaign::{Campaign, CampaignEvent, Funded, Returned};
use viral_domain::{CampaignId, Vcoin};

/// Money for a campaign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FundCampaignBody {
    /// How much V-Coin, more than zero.
    #[schema(value_type = schemas::Amount)]
    amount_vcoin: AmountText,
}

/// What was put into an escrow.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignFunding)]
struct Funding {
    /// The campaign's id.
    #[schema(value_type = Uuid)]
    id: CampaignId,
    /// How much.
    #[schema(value_type = schemas::Vcoin)]
    amount_vcoin: Vcoin,
    /// The ledger's transaction.
    transaction_id: Uuid,
    #[serde(flatten)]
    recorded: Recorded,
}

/// What would be put into an escrow.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignFundingDryRun)]
struct FundingDryRun {
    /// The campaign's id.
    #[schema(value_type = Uuid)]
    id: CampaignId,
    /// How much.
    #[schema(value_type = schemas::Vcoin)]
    amount_vcoin: Vcoin,
    /// `true`: nothing happened.
    dry_run: bool,
}

/// Fund a campaign
///
/// Moves V-Coin from the sponsor's wallet into the campaign's escrow, as often as the sponsor likes, up to the budget.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/fund", operation_id = "fundCampaign", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"), DryRun),
    request_body(content = FundCampaignBody, example = json!({"amount_vcoin": "5000"})),
    responses(
        (status = 201, description = "It is in the escrow", body = Funding,
            example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "amount_vcoin": "5000.0000",
                "transaction_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "position": "18",
                "recorded_at": "2026-03-01T12:00:00.000000Z"})),
        (status = 200, description = "What would happen, of a dry run", body = FundingDryRun,
            example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "amount_vcoin": "5000.0000", "dry_run": true})),
    ),
)]
pub(crate) async fn fund(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<FundCampaignBody, DryRun>,
) -> Result<Response, Problem> {
    let campaign = super::id(&id)?;
    let amount = Place::field("amount_vcoin").vcoin(&write.body.amount_vcoin)?;
    let case = FundCampaign { campaign, amount };
    let (operation, path) = ("campaign.fund", format!("{PATH}/{campaign}/fund"));
    if write.query.dry_run {
        let written = write.rehearse(&state, operation, &path, &case).await?;
        let funded = written.find::<Campaign, _>(funded)?;
        let dry_run = FundingDryRun {
            id: funded.campaign,
            amount_vcoin: funded.amount_vcoin,
            dry_run: true,
        };
        return Ok(written.dry_answer(&dry_run));
    }
    let written = write.run(&state, operation, &path, &case).await?;
    let funded = written.find::<Campaign, _>(funded)?;
    let funding = Funding {
        id: funded.campaign,
        amount_vcoin: funded.amount_vcoin,
        transaction_id: funded.transaction,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::CREATED, None, &funding)
}

fn funded(event: CampaignEvent) -> Option<Funded> {
    match event {
        CampaignEvent::Funded(funded) => Some(funded),
        _ => None,
    }
}

/// A campaign that ends.
#[derive(Serialize, ToSchema)]
#[schema(as = EndedCampaign)]
struct Ended {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: CampaignId,
    /// `closed`, or `closing` until the open work is settled.
    #[schema(value_type = schemas::CampaignStatus)]
    status: &'static str,
    /// What went back to the sponsor. Of a closing campaign, the rest follows.
    #[schema(value_type = schemas::Vcoin)]
    returned_vcoin: Vcoin,
    /// The ledger's transaction. Absent if nothing went back.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<Uuid>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// A campaign that would end.
#[derive(Serialize, ToSchema)]
#[schema(as = EndedCampaignDryRun)]
struct EndedDryRun {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: CampaignId,
    /// `closed`, or `closing` until the open work is settled.
    #[schema(value_type = schemas::CampaignStatus)]
    status: &'static str,
    /// What would go back to the sponsor now.
    #[schema(value_type = schemas::Vcoin)]
    returned_vcoin: Vcoin,
    /// `true`: nothing happened.
    dry_run: bool,
}

/// The end of a campaign, or what it would be.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignEnd)]
#[serde(untagged)]
enum End {
    Done(Ended),
    DryRun(EndedDryRun),
}

/// Close a campaign
///
/// Nobody new can take part. What is not held goes back to the sponsor at once; where creators still work, the campaign
/// is `closing` until that work is settled, and the last of it returns the rest.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/close", operation_id = "closeCampaign", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"), DryRun),
    request_body(content = Option<NoFields>, example = json!({})),
    responses((status = 200, description = "It ends, or would end", body = End,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "status": "closed", "returned_vcoin": "3950.0000",
            "transaction_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "position": "31",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn close(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<NoFields, DryRun>,
) -> Result<Response, Problem> {
    let campaign = super::id(&id)?;
    let case = CloseCampaign { campaign };
    let (operation, path) = ("campaign.close", format!("{PATH}/{campaign}/close"));
    if write.query.dry_run {
        let written = write.rehearse(&state, operation, &path, &case).await?;
        let (status, returned) = written.find::<Campaign, _>(end)?;
        let dry_run = EndedDryRun {
            id: returned.campaign,
            status,
            returned_vcoin: returned.returned_vcoin,
            dry_run: true,
        };
        return Ok(written.dry_answer(&End::DryRun(dry_run)));
    }
    let written = write.run(&state, operation, &path, &case).await?;
    let (status, returned) = written.find::<Campaign, _>(end)?;
    let ended = Ended {
        id: returned.campaign,
        status,
        returned_vcoin: returned.returned_vcoin,
        transaction_id: returned.transaction,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &End::Done(ended))
}

fn end(event: CampaignEvent) -> Option<(&'static str, Returned)> {
    match event {
        CampaignEvent::Closing(returned) => Some(("closing", returned)),
        CampaignEvent::Closed(returned) => Some(("closed", returned)),
        _ => None,
    }
}
