//! One campaign, with its money and how far it is.

use super::View;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use viral_domain::UserId;

/// Get a campaign
///
/// What it says, its money, its missions and assignments, what was measured in sum, and how far its targets are reached.
/// Creators do not see the money and the measurements.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}", operation_id = "getCampaign", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"), MinPosition),
    responses(
        (status = 200, description = "The campaign", body = schemas::Campaign,
            example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
                "sponsor_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "type": "launch", "title": "A launch",
                "status": "published", "start_at": "2026-03-01T00:00:00.000000Z", "end_at": "2026-06-01T00:00:00.000000Z",
                "created_at": "2026-03-01T12:00:00.000000Z", "updated_at": "2026-03-01T12:05:00.000000Z",
                "money": {"budget": "10000.0000", "funded": "5000.0000", "held": "500.0000", "paid": "500.0000",
                    "returned": "0.0000", "left": "4000.0000"},
                "description": "Show it to everybody.", "kpi_config": {"deliverables": 2, "impressions": 100000},
                "missions": {"total": 1, "open": 1, "places": 3, "places_taken": 2},
                "assignments": {"invited": 1, "accepted": 1, "submitted": 0, "approved": 1, "rejected": 0, "declined": 0,
                    "withdrawn": 0, "expired": 0, "cancelled": 0},
                "kpi_progress": [{"metric": "deliverables", "target": 2, "actual": 1, "percent": 50.0},
                    {"metric": "impressions", "target": 100000, "actual": 1000, "percent": 1.0}],
                "engagement": {"impressions": 1000, "clicks": 50, "watch_time": 3600, "conversions": 2}})),
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
    let found = state.read_models()?.campaign(id, view.creator()).await?;
    let campaign = found
        .value
        .filter(|campaign| view.has(UserId(campaign.summary.sponsor_id)));
    let campaign = campaign.ok_or_else(|| super::unknown(id))?;
    read.one(found.position, &campaign)
}
