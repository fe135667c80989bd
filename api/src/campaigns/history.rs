//! A campaign's history: the events of the log that are about it.

use super::View;
use crate::cursor::{self, Cursor};
use crate::events::{Line, lines};
use crate::problem::Problem;
use crate::query;
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use viral_store::Position;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
}

/// A page of a campaign's history.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignHistory)]
struct Page {
    /// By their position.
    #[schema(value_type = Vec<Line>)]
    events: Vec<Box<RawValue>>,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Get a campaign's history
///
/// Its events, those of its assignments, and what the ledger did to its escrow, as they stand in the log and in exports.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/events", operation_id = "getCampaignHistory", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"),
        ListParams, MinPosition),
    responses((status = 200, description = "A page", body = Page,
        example = json!({"events": [{"actor": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "aggregatetype": "campaign",
            "data": {"campaign": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "type": "campaign.published"},
            "dataschema": "urn:viral:event:campaign.published:1", "id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
            "position": "17", "sequence": "3", "source": "urn:viral:log:0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6070",
            "specversion": "1.0", "subject": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "time": "2026-03-01T12:00:00.000000Z", "type": "campaign.published",
            "unitid": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071"}]}))),
)]
pub(crate) async fn events(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<ListParams>,
) -> Result<Response, Problem> {
    let id = super::id(&id)?;
    let limit = query::limit(read.params.limit.as_deref())?;
    let after = match read.params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::CampaignEvents(position)) => position,
        None => Position::START,
        Some(_) => return Err(cursor::invalid()),
    };
    let view = View::of(&read.caller)?;
    read.reached(&state, &["campaigns", "wallets"]).await?;
    let found = state.read_models()?.campaign_events(id, after, limit + 1).await?;
    let history = found.value.filter(|history| view.has(history.sponsor_id));
    let mut events = history.ok_or_else(|| super::unknown(id))?.value;
    let more = events.len() > limit;
    events.truncate(limit);
    let last = events.last().filter(|_| more).map(|event| event.position);
    let page = Page {
        events: lines(&events, state.store().source())?,
        next_cursor: last.map(|position| Cursor::CampaignEvents(position).to_text()),
    };
    read.many(found.position, &page)
}
