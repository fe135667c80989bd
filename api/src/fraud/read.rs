//! Suspicions by risk.

use crate::cursor::{self, Cursor};
use crate::kind;
use crate::openapi::schemas;
use crate::parse;
use crate::problem::Problem;
use crate::query::{self, NoQuery};
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_domain::FlagId;
use viral_domain::fraud_flag::{SourceType, Status};
use viral_projections::queries::{FlagFilter, FraudFlag};

const MODELS: &[&str] = &["fraud_flags"];

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
    /// Only suspicions in this status.
    #[param(value_type = schemas::FlagStatus, required = false)]
    status: Option<String>,
    /// Only suspicions about this kind of thing.
    #[param(value_type = schemas::SourceType, required = false)]
    source_type: Option<String>,
    /// Only suspicions with at least this score.
    #[param(value_type = u8, required = false, minimum = 0, maximum = 100)]
    min_score: Option<String>,
}

/// A page of suspicions.
#[derive(Serialize, ToSchema)]
struct Flags {
    /// The highest score first, then the newest.
    #[schema(value_type = Vec<schemas::FraudFlag>)]
    flags: Vec<FraudFlag>,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List suspicions of fraud
#[utoipa::path(
    get, path = "/v1/admin/fraud", operation_id = "listFlags", tag = "fraud", params(ListParams, MinPosition),
    responses((status = 200, description = "A page", body = Flags, example = json!({"flags": [
        {"id": "71f3a8c2-0b4d-8e96-9d17-c5a2e8b04f3d", "source_type": "user",
            "source_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "score": 80, "reasons": ["the views are not real"],
            "status": "open", "note": null, "reviewer": null, "raised_by": "operator",
            "raised_at": "2026-03-01T12:00:00.000000Z", "resolved_at": null}]}))),
)]
pub(crate) async fn list(State(state): State<AppState>, read: Read<ListParams>) -> Result<Response, Problem> {
    let params = &read.params;
    let limit = query::limit(params.limit.as_deref())?;
    let after = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Flags(key)) => Some(key),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let filter = FlagFilter {
        status: params.status.as_deref().map(status).transpose()?,
        source_type: params.source_type.as_deref().map(source_type).transpose()?,
        min_score: params.min_score.as_deref().map(score).transpose()?,
    };
    read.reached(&state, MODELS).await?;
    let found = state.read_models()?.fraud_flags(&filter, after, limit).await?;
    let next = found.value.next;
    let page = Flags {
        flags: found.value.items,
        next_cursor: next.map(|key| Cursor::Flags(key).to_text()),
    };
    read.many(found.position, &page)
}

fn status(text: &str) -> Result<Status, Problem> {
    let mut all = [Status::Open, Status::Confirmed, Status::Dismissed].into_iter();
    all.find(|status| status.as_str() == text).ok_or_else(|| {
        let detail = "status: open, confirmed or dismissed";
        Problem::new(kind::INVALID_QUERY, detail).with("field", "status")
    })
}

fn source_type(text: &str) -> Result<SourceType, Problem> {
    let mut all = [
        SourceType::User,
        SourceType::Campaign,
        SourceType::Assignment,
        SourceType::Payout,
    ]
    .into_iter();
    all.find(|source| source.as_str() == text).ok_or_else(|| {
        let detail = "source_type: user, campaign, assignment or payout";
        Problem::new(kind::INVALID_QUERY, detail).with("field", "source_type")
    })
}

fn score(text: &str) -> Result<u8, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let score = text.parse().ok().filter(|score| digits && *score <= 100);
    let invalid = || Problem::new(kind::INVALID_QUERY, "min_score: write a whole number from 0 to 100");
    score.ok_or_else(|| invalid().with("field", "min_score"))
}

/// Look at a suspicion of fraud
#[utoipa::path(
    get, path = "/v1/admin/fraud/{id}", operation_id = "getFlag", tag = "fraud",
    params(("id" = Uuid, Path, description = "The suspicion's id", example = "71f3a8c2-0b4d-8e96-9d17-c5a2e8b04f3d"),
        MinPosition),
    responses((status = 200, description = "The suspicion", body = schemas::FraudFlag,
        example = json!({"id": "71f3a8c2-0b4d-8e96-9d17-c5a2e8b04f3d", "source_type": "user",
            "source_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "score": 80, "reasons": ["the views are not real"],
            "status": "dismissed", "note": "the views are real", "reviewer": "operator", "raised_by": "operator",
            "raised_at": "2026-03-01T12:00:00.000000Z", "resolved_at": "2026-03-02T09:00:00.000000Z"})),
        (status = 304, description = "It has not changed")),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<NoQuery>,
) -> Result<Response, Problem> {
    let id = FlagId(parse::id(&id)?);
    read.reached(&state, MODELS).await?;
    let found = state.read_models()?.fraud_flag(id).await?;
    let unknown = || Problem::new(kind::UNKNOWN_FLAG, format!("there is no fraud flag {id}"));
    let flag = found.value.ok_or_else(unknown)?;
    read.one(found.position, &flag)
}
