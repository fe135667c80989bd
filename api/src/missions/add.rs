//! A sponsor adds a mission to a campaign.

use super::PATH;
use crate::campaigns;
use crate::json::AmountText;
use crate::kind;
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use viral_commands::use_cases::AddMission;
use viral_domain::campaign::{Campaign, CampaignEvent};
use viral_domain::{CampaignId, MissionId, Requirements, Vcoin};
use viral_ledger::timestamp;

/// A mission to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMission {
    /// What kind of mission, in the sponsor's words.
    #[schema(min_length = 1, max_length = 64)]
    mission_type: String,
    /// A JSON Schema (draft 2020-12) that the JSON of a deliverable must fit; everything fits if absent. It sees one
    /// object: the details, with `url` or `stream_id` beside them.
    #[schema(value_type = Option<schemas::Requirements>)]
    requirements: Option<Value>,
    /// What each creator is paid, the platform's fee included.
    #[schema(value_type = schemas::Amount)]
    reward_vcoin: AmountText,
    /// Until when work can be submitted.
    #[schema(value_type = schemas::Time)]
    deadline: String,
    /// How many creators may be paid for it; 1 if absent.
    #[schema(minimum = 1, maximum = 10000)]
    places: Option<u32>,
}

/// A mission as it was added.
#[derive(Serialize, ToSchema)]
#[schema(as = AddedMission)]
struct Added {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: MissionId,
    /// Which campaign it belongs to.
    #[schema(value_type = Uuid)]
    campaign_id: CampaignId,
    /// What kind of mission, in the sponsor's words.
    mission_type: String,
    /// A JSON Schema that a deliverable must fit.
    #[schema(value_type = schemas::Requirements)]
    requirements: Requirements,
    /// What each creator is paid, the platform's fee included.
    #[schema(value_type = schemas::Vcoin)]
    reward_vcoin: Vcoin,
    /// Until when work can be submitted.
    #[serde(with = "timestamp")]
    #[schema(value_type = schemas::Time)]
    deadline: DateTime<Utc>,
    /// How many creators may be paid for it.
    places: u32,
    /// `open`.
    #[schema(value_type = schemas::MissionStatus)]
    status: &'static str,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Add a mission to a campaign
///
/// A campaign has at most 200. What is added after the campaign was published is open at once.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/missions", operation_id = "addMission", tag = "missions",
    params(("id" = Uuid, Path, description = "The campaign's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    request_body(content = NewMission, example = json!({"mission_type": "video", "requirements": {"required": ["url"]},
        "reward_vcoin": "500", "deadline": "2026-04-01T00:00:00Z", "places": 3})),
    responses((status = 201, description = "The mission", body = Added,
        example = json!({"id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f", "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "mission_type": "video", "requirements": {"required": ["url"]}, "reward_vcoin": "500.0000",
            "deadline": "2026-04-01T00:00:00.000000Z", "places": 3, "status": "open", "position": "16",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn add(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<NewMission>,
) -> Result<Response, Problem> {
    let campaign = campaigns::id(&id)?;
    let body = &write.body;
    let case = AddMission {
        campaign,
        mission_type: body.mission_type.clone(),
        requirements: requirements(body.requirements.as_ref())?,
        reward: Place::field("reward_vcoin").vcoin(&body.reward_vcoin)?,
        deadline: Place::field("deadline").time(&body.deadline)?,
        places: body.places.unwrap_or(1),
    };
    let path = format!("/v1/campaigns/{campaign}/missions");
    let written = write.run(&state, "campaign.mission.add", &path, &case).await?;
    let added = written.find::<Campaign, _>(|event| match event {
        CampaignEvent::MissionAdded(added) => Some(added),
        _ => None,
    })?;
    let location = format!("{PATH}/{}", added.mission);
    let answer = Added {
        id: added.mission,
        campaign_id: added.campaign,
        mission_type: added.mission_type,
        requirements: added.requirements,
        reward_vcoin: added.reward_vcoin,
        deadline: added.deadline,
        places: added.places,
        status: "open",
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::CREATED, Some(location), &answer)
}

fn requirements(schema: Option<&Value>) -> Result<Requirements, Problem> {
    let Some(schema) = schema else {
        return Ok(Requirements::default());
    };
    Requirements::parse(schema.clone())
        .map_err(|error| Problem::new(kind::INVALID_MISSION, error.to_string()).with("field", "requirements"))
}
