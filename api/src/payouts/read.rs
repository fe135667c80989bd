//! Payouts as they are now. A creator sees their own, a sponsor those from its campaigns.

use crate::auth::Caller;
use crate::cursor::{self, Cursor};
use crate::kind;
use crate::openapi::schemas;
use crate::parse::{self, Place};
use crate::problem::Problem;
use crate::query::{self, NoQuery};
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_domain::payout::Status;
use viral_domain::user::Role;
use viral_domain::{CampaignId, PayoutId};
use viral_projections::queries::{Payout, PayoutFilter};

const MODELS: &[&str] = &["payouts"];

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
    /// Only payouts in this status.
    #[param(value_type = schemas::PayoutStatus, required = false)]
    status: Option<String>,
    /// Only payouts of what was earned in this campaign.
    #[param(value_type = Uuid, required = false)]
    campaign_id: Option<String>,
}

/// A page of payouts.
#[derive(Serialize, ToSchema)]
struct Payouts {
    /// The newest first.
    #[schema(value_type = Vec<schemas::Payout>)]
    payouts: Vec<Payout>,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List payouts
#[utoipa::path(
    get, path = "/v1/payouts", operation_id = "listPayouts", tag = "payouts", params(ListParams, MinPosition),
    responses((status = 200, description = "A page", body = Payouts, example = json!({"payouts": [
        {"id": "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10", "status": "requested", "held": false, "held_by": [],
            "campaign_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", "creator_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "sponsor_id": "2f8b6c1d-7e3a-8c94-a05b-93d1e4f7a6c2", "amount_vcoin": "80.0000",
            "fiat": {"amount": "0.80", "asset": "USD"}, "rate": "0.01",
            "digest": "0f1c2a9be4f0d0a4b6b3a7d3e8f5c6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d", "needs_admin": false,
            "attempt": 0, "attempts": 3, "sponsor_approved_by": null, "sponsor_approved_at": null,
            "admin_approved_by": null, "admin_approved_at": null, "provider": null, "provider_reference": null,
            "reason": null, "requested_at": "2026-03-01T12:00:00.000000Z",
            "updated_at": "2026-03-01T12:00:00.000000Z"}]}))),
)]
pub(crate) async fn list(State(state): State<AppState>, read: Read<ListParams>) -> Result<Response, Problem> {
    let params = &read.params;
    let limit = query::limit(params.limit.as_deref())?;
    let after = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Payouts(key)) => Some(key),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let campaign = params
        .campaign_id
        .as_deref()
        .map(|text| Place::field("campaign_id").id(text));
    let mut filter = visible(&read.caller)?;
    filter.status = params.status.as_deref().map(status).transpose()?;
    filter.campaign = campaign.transpose()?.map(CampaignId);
    read.reached(&state, MODELS).await?;
    let found = state.read_models()?.payouts(&filter, after, limit).await?;
    let next = found.value.next;
    let page = Payouts {
        payouts: found.value.items,
        next_cursor: next.map(|key| Cursor::Payouts(key).to_text()),
    };
    read.many(found.position, &page)
}

/// The payouts that are the caller's business.
fn visible(caller: &Caller) -> Result<PayoutFilter, Problem> {
    let owner = caller.owner()?;
    let (creator, sponsor) = match caller.principal().role() {
        Role::Creator => (owner, None),
        _ => (None, owner),
    };
    Ok(PayoutFilter {
        creator,
        sponsor,
        ..PayoutFilter::default()
    })
}

fn status(text: &str) -> Result<Status, Problem> {
    let mut all = Status::ALL.into_iter().filter(|status| *status != Status::Missing);
    all.find(|status| status.as_str() == text).ok_or_else(|| {
        let detail = "status: requested, sponsor_approved, approved, submitted, unknown, settled, rejected, cancelled or \
                      failed";
        Problem::new(kind::INVALID_QUERY, detail).with("field", "status")
    })
}

/// Look at a payout
///
/// Its `digest` is what an approval is bound to.
#[utoipa::path(
    get, path = "/v1/payouts/{id}", operation_id = "getPayout", tag = "payouts",
    params(("id" = Uuid, Path, description = "The payout's id", example = "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10"), MinPosition),
    responses((status = 200, description = "The payout", body = schemas::Payout,
        example = json!({"id": "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10", "status": "settled", "held": false, "held_by": [],
            "campaign_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", "creator_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "sponsor_id": "2f8b6c1d-7e3a-8c94-a05b-93d1e4f7a6c2", "amount_vcoin": "80.0000",
            "fiat": {"amount": "0.80", "asset": "USD"}, "rate": "0.01",
            "digest": "0f1c2a9be4f0d0a4b6b3a7d3e8f5c6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d", "needs_admin": false,
            "attempt": 1, "attempts": 3, "sponsor_approved_by": "2f8b6c1d-7e3a-8c94-a05b-93d1e4f7a6c2",
            "sponsor_approved_at": "2026-03-01T12:05:00.000000Z", "admin_approved_by": null, "admin_approved_at": null,
            "provider": "manual", "provider_reference": "po_4711", "reason": null,
            "requested_at": "2026-03-01T12:00:00.000000Z", "updated_at": "2026-03-02T09:00:00.000000Z"})),
        (status = 304, description = "It has not changed")),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<NoQuery>,
) -> Result<Response, Problem> {
    let id = PayoutId(parse::id(&id)?);
    let visible = visible(&read.caller)?;
    read.reached(&state, MODELS).await?;
    let found = state.read_models()?.payout(id).await?;
    let is_visible = |payout: &Payout| {
        visible.creator.is_none_or(|creator| creator.0 == payout.creator_id)
            && visible.sponsor.is_none_or(|sponsor| sponsor.0 == payout.sponsor_id)
    };
    let unknown = || Problem::new(kind::UNKNOWN_PAYOUT, format!("there is no payout {id}"));
    let payout = found.value.filter(is_visible).ok_or_else(unknown)?;
    read.one(found.position, &payout)
}
