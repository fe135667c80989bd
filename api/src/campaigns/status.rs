//! Campaigns open to creators, and pause.

use super::PATH;
use crate::bodies::{NoFields, WithReason};
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use viral_commands::use_cases::{PauseCampaign, PublishCampaign};
use viral_domain::CampaignId;
use viral_domain::campaign::{Campaign, CampaignEvent};

/// A campaign in its new status.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedCampaign)]
struct Changed {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: CampaignId,
    /// How far it is now.
    #[schema(value_type = schemas::CampaignStatus)]
    status: &'static str,
    /// Why.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Publish a campaign
///
/// Creators see it and can take part: a draft with at least one mission for the first time, a paused campaign again.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/publish", operation_id = "publishCampaign", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    request_body(content = Option<NoFields>, example = json!({})),
    responses((status = 200, description = "It is published", body = Changed,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "status": "published", "position": "17",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn publish(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<NoFields>,
) -> Result<Response, Problem> {
    let campaign = super::id(&id)?;
    let path = format!("{PATH}/{campaign}/publish");
    let written = write
        .run(&state, "campaign.publish", &path, &PublishCampaign { campaign })
        .await?;
    let published = written.find::<Campaign, _>(|event| match event {
        CampaignEvent::Published(published) | CampaignEvent::Resumed(published) => Some(published),
        _ => None,
    })?;
    let changed = Changed {
        id: published.campaign,
        status: "published",
        reason: None,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &changed)
}

/// Pause a campaign
///
/// Nobody new can take part until it is published again. Work that has begun goes on.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/pause", operation_id = "pauseCampaign", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    request_body(content = Option<WithReason>, example = json!({"reason": "the product is late"})),
    responses((status = 200, description = "It is paused", body = Changed,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "status": "paused",
            "reason": "the product is late", "position": "19", "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn pause(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<WithReason>,
) -> Result<Response, Problem> {
    let campaign = super::id(&id)?;
    let reason = write.body.reason.clone();
    let path = format!("{PATH}/{campaign}/pause");
    let written = write
        .run(&state, "campaign.pause", &path, &PauseCampaign { campaign, reason })
        .await?;
    let paused = written.find::<Campaign, _>(|event| match event {
        CampaignEvent::Paused(paused) => Some(paused),
        _ => None,
    })?;
    let changed = Changed {
        id: paused.campaign,
        status: "paused",
        reason: paused.reason,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &changed)
}
