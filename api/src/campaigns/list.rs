//! The list of campaigns, as far as the caller sees them.

use super::View;
use crate::cursor::{self, Cursor};
use crate::kind;
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::query;
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_domain::UserId;
use viral_domain::campaign::Status;
use viral_projections::queries::{CampaignFilter, CampaignSummary};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// Only campaigns in this status.
    #[param(value_type = schemas::CampaignStatus, required = false)]
    status: Option<String>,
    /// Only campaigns of this type.
    r#type: Option<String>,
    /// Only campaigns of this sponsor.
    #[param(value_type = Uuid, required = false)]
    sponsor_id: Option<String>,
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
}

/// A page of campaigns.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaigns)]
struct Page {
    /// The newest first.
    #[schema(value_type = Vec<schemas::CampaignSummary>)]
    campaigns: Vec<CampaignSummary>,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List campaigns
///
/// The newest first. Sponsors see their own; creators those that are published or paused and those that they take part
/// in, without their money; the others all of them.
#[utoipa::path(
    get, path = "/v1/campaigns", operation_id = "listCampaigns", tag = "campaigns", params(ListParams, MinPosition),
    responses((status = 200, description = "A page", body = Page,
        example = json!({"campaigns": [{"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "sponsor_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "type": "launch", "title": "A launch",
            "status": "published", "start_at": "2026-03-01T00:00:00.000000Z", "end_at": "2026-06-01T00:00:00.000000Z",
            "created_at": "2026-03-01T12:00:00.000000Z", "updated_at": "2026-03-01T12:05:00.000000Z",
            "money": {"budget": "10000.0000", "funded": "5000.0000", "held": "500.0000", "paid": "500.0000",
                "returned": "0.0000", "left": "4000.0000"}}]}))),
)]
pub(crate) async fn list(State(state): State<AppState>, read: Read<ListParams>) -> Result<Response, Problem> {
    let params = &read.params;
    let mut limit = query::limit(params.limit.as_deref())?;
    let after = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Campaigns(key)) => Some(key),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let sponsor = params.sponsor_id.as_deref();
    let sponsor = sponsor.map(|text| Place::field("sponsor_id").id(text)).transpose()?;
    let view = View::of(&read.caller)?;
    let mut filter = CampaignFilter {
        sponsor: sponsor.map(UserId),
        creator_view: view.creator(),
        status: params.status.as_deref().map(status).transpose()?,
        campaign_type: params.r#type.clone().map(campaign_type).transpose()?,
    };
    if let View::Sponsor(own) = view {
        // A sponsor who asks for another's campaigns finds none.
        if filter.sponsor.is_some_and(|sponsor| sponsor != own) {
            limit = 0;
        }
        filter.sponsor = Some(own);
    }
    read.reached(&state, &["campaigns"]).await?;
    let found = state.read_models()?.campaigns(&filter, after, limit).await?;
    let page = Page {
        campaigns: found.value.items,
        next_cursor: found.value.next.map(|key| Cursor::Campaigns(key).to_text()),
    };
    read.many(found.position, &page)
}

/// Any text but one that PostgreSQL would not take as a parameter.
fn campaign_type(text: String) -> Result<String, Problem> {
    if text.contains('\0') {
        let problem = Problem::new(kind::INVALID_QUERY, "type: has the character U+0000");
        return Err(problem.with("field", "type"));
    }
    Ok(text)
}

fn status(text: &str) -> Result<Status, Problem> {
    let mut all = Status::ALL.into_iter().filter(|status| *status != Status::Missing);
    all.find(|status| status.as_str() == text).ok_or_else(|| {
        let detail = "status: draft, published, paused, closing or closed";
        Problem::new(kind::INVALID_QUERY, detail).with("field", "status")
    })
}
