//! What came of a campaign: what was measured, beside what was paid.

use super::View;
use crate::kind;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::query;
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use viral_projections::queries::{Interval, MetricsFilter};

/// The most points of a series.
const MOST_POINTS: usize = 10_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricsParams {
    /// How long the points of the series are.
    #[param(value_type = schemas::Interval, required = false, default = "day")]
    interval: Option<Interval>,
    /// Only what counts for this time or later.
    #[param(value_type = schemas::Time, required = false)]
    from: Option<String>,
    /// Only what counts for earlier times.
    #[param(value_type = schemas::Time, required = false)]
    to: Option<String>,
}

/// Get a campaign's metrics
///
/// Impressions, clicks, watch time and conversions beside the rewards that were paid: by hour or day, by creator and by
/// platform, with what each result cost and how far the campaign's targets are reached. `watermark` says how much of the
/// log is in it; measurements count as soon as they have come in. Where measurements cannot be asked `missing` says why, and
/// the rewards are there all the same; where not all of them can, it says so beside the figures.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}/metrics", operation_id = "getCampaignMetrics", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"),
        MetricsParams, MinPosition),
    responses(
        (status = 200, description = "The metrics", body = schemas::CampaignMetrics,
            example = json!({"campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "interval": "day",
                "source": "clickhouse", "watermark": {"position": "42", "recorded_at": "2026-03-01T12:05:00.000000Z"},
                "missing": null,
                "totals": {"engagement": {"impressions": 1000, "clicks": 50, "watch_time": 3600, "conversions": 2},
                    "rewards": 1, "paid_vcoin": "100.0000"},
                "cost": {"per_thousand_impressions": "100.0000", "per_click": "2.0000", "per_watch_hour": "100.0000",
                    "per_conversion": "50.0000"},
                "series": [{"start": "2026-03-01T00:00:00.000000Z", "engagement": {"impressions": 1000, "clicks": 50,
                    "watch_time": 3600, "conversions": 2}, "rewards": 1, "paid_vcoin": "100.0000"}],
                "by_creator": [{"creator_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "engagement": {"impressions": 1000,
                    "clicks": 50, "watch_time": 3600, "conversions": 2}, "rewards": 1, "paid_vcoin": "100.0000"}],
                "by_platform": [{"platform": "youtube", "engagement": {"impressions": 1000, "clicks": 50,
                    "watch_time": 3600, "conversions": 2}}],
                "kpi_progress": [{"metric": "impressions", "target": 100000, "actual": 1000, "percent": 1.0}]})),
        (status = 304, description = "It has not changed"),
    ),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<MetricsParams>,
) -> Result<Response, Problem> {
    let id = super::id(&id)?;
    let (from, to) = query::span(read.params.from.as_deref(), read.params.to.as_deref())?;
    let filter = MetricsFilter {
        from,
        to,
        interval: read.params.interval.unwrap_or(Interval::Day),
    };
    let view = View::of(&read.caller)?;
    read.reached(&state, &["campaigns"]).await?;
    let found = state.read_models()?.campaign_metrics(id, &filter).await?;
    let metrics = found.value.filter(|metrics| view.has(metrics.sponsor_id));
    let metrics = metrics.ok_or_else(|| super::unknown(id))?.value;
    if metrics.series.len() > MOST_POINTS {
        let detail =
            format!("the series would have more than {MOST_POINTS} points: ask for less by from and to, or for days");
        return Err(Problem::new(kind::INVALID_QUERY, detail));
    }
    read.one(found.position, &metrics)
}
