//! The statement of a campaign's escrow.

use super::View;
use crate::cursor::{self, Cursor};
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::query;
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_projections::queries::Statement;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementParams {
    /// Only what takes effect at or after this.
    #[param(value_type = schemas::Time, required = false)]
    from: Option<String>,
    /// Only what takes effect before this.
    #[param(value_type = schemas::Time, required = false)]
    to: Option<String>,
    /// `next_cursor` of the page before, as it is, with the same `from` and `to`.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CampaignStatement)]
struct Page {
    #[schema(value_type = schemas::Statement)]
    #[serde(flatten)]
    statement: Statement,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Get a campaign's statement
///
/// What was in its escrow, what moved, and what is left. The balances are those of the whole statement on every page.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/statement", operation_id = "getCampaignStatement", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"),
        StatementParams, MinPosition),
    responses((status = 200, description = "The statement, or a page of it", body = Page,
        example = json!({"campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "account": "campaign:5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11:escrow", "asset": "VCOIN",
            "opening_balance": "0.0000", "entries": [{"position": "18", "transaction_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59",
                "type": "fund", "amount_vcoin": "5000.0000", "balance": "5000.0000", "reference_type": "campaign",
                "reference_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "effective_at": "2026-03-01T12:00:00.000000Z"}],
            "closing_balance": "5000.0000", "held_vcoin": "500.0000"}))),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<StatementParams>,
) -> Result<Response, Problem> {
    let id = super::id(&id)?;
    let params = &read.params;
    let limit = query::limit(params.limit.as_deref())?;
    let after = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Statement(key)) => Some(key),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let (from, to) = query::span(params.from.as_deref(), params.to.as_deref())?;
    let view = View::of(&read.caller)?;
    read.reached(&state, &["campaigns", "wallets"]).await?;
    let found = state.read_models()?.statement(id, from, to, after, limit).await?;
    let statement = found.value.filter(|statement| view.has(statement.sponsor_id));
    let statement = statement.ok_or_else(|| super::unknown(id))?.value;
    let page = Page {
        next_cursor: statement.next.map(|key| Cursor::Statement(key).to_text()),
        statement,
    };
    read.many(found.position, &page)
}
