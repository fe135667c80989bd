//! Who works on a mission. One path for both sides: sponsors invite creators or open the mission to all, creators take
//! part in what is open.

use super::PATH;
use crate::assignments::Accepted;
use crate::kind;
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::{Write, Written};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use viral_commands::use_cases::{InviteCreators, JoinMission, OpenMission};
use viral_domain::assignment::{Assignment, AssignmentEvent};
use viral_domain::campaign::{Campaign, CampaignEvent};
use viral_domain::user::Role;
use viral_domain::{AssignmentId, MissionId, UserId};

/// Sponsors name creators, or say that the mission is open to all; creators say nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignMission {
    /// Whom to invite: all of them or, if one cannot be invited, none.
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 100)]
    creators: Option<Vec<String>>,
    /// `true`: every creator may take part, first come, first served.
    open_call: Option<bool>,
}

/// Creators who were invited.
#[derive(Serialize, ToSchema)]
#[schema(as = InvitedCreators)]
struct Invited {
    /// To which mission.
    #[schema(value_type = Uuid)]
    mission_id: MissionId,
    /// One for each creator.
    assignments: Vec<Invitation>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// An invitation.
#[derive(Serialize, ToSchema)]
struct Invitation {
    /// The assignment's id.
    #[schema(value_type = Uuid)]
    id: AssignmentId,
    /// Who is invited.
    #[schema(value_type = Uuid)]
    creator_id: UserId,
    /// `invited`.
    #[schema(value_type = schemas::AssignmentStatus)]
    status: &'static str,
}

/// A mission that was opened to all.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenedMission)]
struct Opened {
    /// Which mission.
    #[schema(value_type = Uuid)]
    mission_id: MissionId,
    /// `true`.
    open_call: bool,
    #[serde(flatten)]
    recorded: Recorded,
}

/// What a sponsor's call did.
#[derive(Serialize, ToSchema)]
#[schema(as = MissionOffer)]
#[serde(untagged)]
enum Offer {
    Invited(Invited),
    Opened(Opened),
}

/// Assign a mission
///
/// A sponsor invites `creators`, or opens the mission to all by `open_call`. A creator takes part in a mission that is
/// open to all, or accepts an invitation to it: the reward is held in the campaign's escrow.
#[utoipa::path(
    post, path = "/v1/missions/{id}/assign", operation_id = "assignMission", tag = "missions",
    params(("id" = Uuid, Path, description = "The mission's id", example = "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f")),
    request_body(content = Option<AssignMission>, example = json!({"creators": ["7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59"]})),
    responses(
        (status = 200, description = "The creators are invited, or all of them may take part", body = Offer,
            example = json!({"mission_id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f", "assignments": [
                {"id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a", "creator_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59",
                 "status": "invited"}], "position": "20", "recorded_at": "2026-03-01T12:00:00.000000Z"})),
        (status = 201, description = "The creator takes part", body = Accepted,
            example = json!({"id": "3e9d7c5b-1a2f-8c4d-b6e8-0f1e2d3c4b5a", "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
                "mission_id": "0f3b6a1e-2d4c-8b5a-9e7f-1a2b3c4d5e6f", "creator_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59",
                "status": "accepted", "reward_vcoin": "500.0000", "fee_bps": 500, "deadline": "2026-04-01T00:00:00.000000Z",
                "hold_id": "9c8b7a6f-5e4d-8c3b-a291-807f6e5d4c3b", "position": "23",
                "recorded_at": "2026-03-01T12:00:00.000000Z"})),
    ),
)]
pub(crate) async fn assign(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<AssignMission>,
) -> Result<Response, Problem> {
    let mission = super::id(&id)?;
    let path = format!("{PATH}/{mission}/assign");
    let body = &write.body;
    match (write.caller.principal().role(), &body.creators, body.open_call) {
        (Role::Creator, None, None) => {
            let written = write
                .run(&state, "mission.join", &path, &JoinMission { mission })
                .await?;
            let accepted = Accepted::of(&written)?;
            written.answer(StatusCode::CREATED, Some(accepted.path()), &accepted)
        }
        (Role::Creator, ..) => Err(unclear("creators only take part themselves: send {}")),
        (_, Some(creators), None) => {
            let parse = |text: &String| Place::field("creators").id(text).map(UserId);
            let creators = creators.iter().map(parse).collect::<Result<_, _>>()?;
            let case = InviteCreators { mission, creators };
            let written = write.run(&state, "mission.invite", &path, &case).await?;
            invited(mission, &written)
        }
        (_, None, Some(true)) => {
            let written = write
                .run(&state, "mission.open", &path, &OpenMission { mission })
                .await?;
            opened(&written)
        }
        _ => Err(unclear("send either creators, or open_call with the value true")),
    }
}

fn unclear(what: &str) -> Problem {
    Problem::new(kind::INVALID_BODY, what)
}

fn invited(mission_id: MissionId, written: &Written) -> Result<Response, Problem> {
    let invitation = |event| match event {
        AssignmentEvent::Invited(offer) => Some(Invitation {
            id: offer.assignment,
            creator_id: offer.creator,
            status: "invited",
        }),
        _ => None,
    };
    let events = written.events_of::<Assignment>().into_iter();
    let invited = Invited {
        mission_id,
        assignments: events.filter_map(invitation).collect(),
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &Offer::Invited(invited))
}

fn opened(written: &Written) -> Result<Response, Problem> {
    let opened = written.find::<Campaign, _>(|event| match event {
        CampaignEvent::MissionOpened(opened) => Some(opened),
        _ => None,
    })?;
    let opened = Opened {
        mission_id: opened.mission,
        open_call: true,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &Offer::Opened(opened))
}
