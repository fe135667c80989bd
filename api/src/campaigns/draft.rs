//! Drafts of campaigns: what a sponsor says about one.

use super::PATH;
use crate::error;
use crate::json::AmountText;
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::{Write, Written};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases::{CreateCampaign, EditCampaign};
use viral_domain::campaign::{Brief, BriefEdit, Campaign, CampaignEvent};
use viral_domain::{CampaignId, UserId, Vcoin};
use viral_ledger::timestamp;

/// A campaign to draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCampaign {
    /// What kind of campaign, in the sponsor's words.
    #[schema(min_length = 1, max_length = 64)]
    r#type: String,
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// What it is about.
    #[serde(default)]
    #[schema(max_length = 4000)]
    description: String,
    /// Targets by the name of their metric, each a number above zero. `deliverables`, `creators` and `spend_vcoin` are
    /// measured from the log.
    #[serde(default)]
    #[schema(value_type = Object)]
    kpi_config: Map<String, Value>,
    /// The most that the sponsor wants to fund, in V-Coin.
    #[schema(value_type = schemas::Amount)]
    budget_vcoin: AmountText,
    /// When it starts.
    #[schema(value_type = schemas::Time)]
    start_at: String,
    /// When it ends.
    #[schema(value_type = schemas::Time)]
    end_at: String,
}

/// What changes in a draft. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignEdit {
    /// What kind of campaign, in the sponsor's words.
    #[schema(min_length = 1, max_length = 64)]
    r#type: Option<String>,
    /// Its title.
    #[schema(min_length = 1, max_length = 200)]
    title: Option<String>,
    /// What it is about.
    #[schema(max_length = 4000)]
    description: Option<String>,
    /// Targets, as a whole.
    #[schema(value_type = Option<Object>)]
    kpi_config: Option<Map<String, Value>>,
    /// The most that the sponsor wants to fund, in V-Coin.
    #[schema(value_type = Option<schemas::Amount>)]
    budget_vcoin: Option<AmountText>,
    /// When it starts.
    #[schema(value_type = Option<schemas::Time>)]
    start_at: Option<String>,
    /// When it ends.
    #[schema(value_type = Option<schemas::Time>)]
    end_at: Option<String>,
}

/// A draft as it was written.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignDraft)]
pub(super) struct Draft {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: CampaignId,
    /// Whose it is.
    #[schema(value_type = Uuid)]
    sponsor_id: UserId,
    /// What kind of campaign, in the sponsor's words.
    r#type: String,
    /// Its title.
    title: String,
    /// What it is about.
    description: String,
    /// Targets by the name of their metric.
    #[schema(value_type = Object)]
    kpi_config: Map<String, Value>,
    /// The most that the sponsor wants to fund.
    #[schema(value_type = schemas::Vcoin)]
    budget_vcoin: Vcoin,
    /// When it starts.
    #[serde(with = "timestamp")]
    #[schema(value_type = schemas::Time)]
    start_at: DateTime<Utc>,
    /// When it ends.
    #[serde(with = "timestamp")]
    #[schema(value_type = schemas::Time)]
    end_at: DateTime<Utc>,
    /// `draft`.
    #[schema(value_type = schemas::CampaignStatus)]
    status: &'static str,
    #[serde(flatten)]
    recorded: Recorded,
}

impl Draft {
    fn of(written: &Written, id: CampaignId, sponsor_id: UserId, brief: Brief) -> Result<Draft, Problem> {
        Ok(Draft {
            id,
            sponsor_id,
            r#type: brief.campaign_type,
            title: brief.title,
            description: brief.description,
            kpi_config: brief.kpi_config,
            budget_vcoin: brief.budget_vcoin,
            start_at: brief.start_at,
            end_at: brief.end_at,
            status: "draft",
            recorded: written.recorded()?,
        })
    }
}

/// Draft a campaign
///
/// Nobody but the sponsor sees it until it is published. Its escrow account is opened.
#[utoipa::path(
    post, path = "/v1/campaigns", operation_id = "createCampaign", tag = "campaigns",
    request_body(content = NewCampaign, example = json!({"type": "launch", "title": "A launch",
        "description": "Show it to everybody.", "kpi_config": {"deliverables": 2}, "budget_vcoin": "10000",
        "start_at": "2026-03-01T00:00:00Z", "end_at": "2026-06-01T00:00:00Z"})),
    responses((status = 201, description = "The draft", body = Draft,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "sponsor_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59",
            "type": "launch", "title": "A launch", "description": "Show it to everybody.",
            "kpi_config": {"deliverables": 2}, "budget_vcoin": "10000.0000", "start_at": "2026-03-01T00:00:00.000000Z",
            "end_at": "2026-06-01T00:00:00.000000Z", "status": "draft", "position": "13",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn create(State(state): State<AppState>, write: Write<NewCampaign>) -> Result<Response, Problem> {
    let body = &write.body;
    let brief = Brief {
        budget_vcoin: Place::field("budget_vcoin").vcoin(&body.budget_vcoin)?,
        campaign_type: body.r#type.clone(),
        description: body.description.clone(),
        end_at: Place::field("end_at").time(&body.end_at)?,
        kpi_config: body.kpi_config.clone(),
        start_at: Place::field("start_at").time(&body.start_at)?,
        title: body.title.clone(),
    };
    let case = CreateCampaign { brief };
    let written = write.run(&state, "campaign.create", PATH, &case).await?;
    let created = written.find::<Campaign, _>(|event| match event {
        CampaignEvent::Created(created) => Some(created),
        _ => None,
    })?;
    let location = format!("{PATH}/{}", created.campaign);
    let draft = Draft::of(&written, created.campaign, created.sponsor, created.brief)?;
    written.answer(StatusCode::CREATED, Some(location), &draft)
}

/// Edit a draft
///
/// What is left out stays. Once a campaign was published, what it says is fixed.
#[utoipa::path(
    patch, path = "/v1/campaigns/{id}", operation_id = "editCampaign", tag = "campaigns",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    request_body(content = CampaignEdit, example = json!({"title": "A better launch", "budget_vcoin": "12000"})),
    responses((status = 200, description = "The draft", body = Draft,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "sponsor_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59",
            "type": "launch", "title": "A better launch", "description": "Show it to everybody.",
            "kpi_config": {"deliverables": 2}, "budget_vcoin": "12000.0000", "start_at": "2026-03-01T00:00:00.000000Z",
            "end_at": "2026-06-01T00:00:00.000000Z", "status": "draft", "position": "15",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn edit(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<CampaignEdit>,
) -> Result<Response, Problem> {
    let campaign = super::id(&id)?;
    let edit = write.body.edit()?;
    let path = format!("{PATH}/{campaign}");
    let written = write
        .run(&state, "campaign.edit", &path, &EditCampaign { campaign, edit })
        .await?;
    let edited = written.find::<Campaign, _>(|event| match event {
        CampaignEvent::Edited(edited) => Some(edited),
        _ => None,
    })?;
    let draft = Draft::of(&written, edited.campaign, sponsor(&written)?, edited.brief)?;
    written.answer(StatusCode::OK, None, &draft)
}

/// Only the campaign's sponsor edits it, so whoever the events name is the sponsor.
fn sponsor(written: &Written) -> Result<UserId, Problem> {
    let metadata = written.event()?.parse_metadata().map_err(|e| error::internal(&e))?;
    let actor = metadata.actor.unwrap_or_default();
    Uuid::try_parse(&actor).map(UserId).map_err(|e| error::internal(&e))
}

impl CampaignEdit {
    fn edit(&self) -> Result<BriefEdit, Problem> {
        let time = |field, text: &Option<String>| text.as_ref().map(|text| Place::field(field).time(text)).transpose();
        let budget = self.budget_vcoin.as_ref();
        Ok(BriefEdit {
            campaign_type: self.r#type.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            kpi_config: self.kpi_config.clone(),
            budget_vcoin: budget
                .map(|amount| Place::field("budget_vcoin").vcoin(amount))
                .transpose()?,
            start_at: time("start_at", &self.start_at)?,
            end_at: time("end_at", &self.end_at)?,
        })
    }
}
