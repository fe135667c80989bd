//! Raising a suspicion by hand.

use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases;
use viral_domain::fraud_flag::{FraudFlag, FraudFlagEvent, SourceType, Status};
use viral_domain::payout::{Payout, PayoutEvent};

/// A suspicion.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RaiseFlag {
    /// What kind of thing it is about.
    #[schema(value_type = schemas::SourceType)]
    source_type: SourceType,
    /// Which one.
    #[schema(value_type = Uuid)]
    source_id: String,
    /// How likely it is.
    #[schema(value_type = u8, minimum = 0, maximum = 100)]
    score: i64,
    /// Why: one line each, at most 10,000 characters together.
    #[schema(min_items = 1, max_items = 20)]
    reasons: Vec<String>,
}

/// A suspicion that was raised.
#[derive(Serialize, ToSchema)]
#[schema(as = RaisedFlag)]
struct Raised {
    /// The suspicion's id.
    id: Uuid,
    /// What kind of thing it is about.
    #[schema(value_type = schemas::SourceType)]
    source_type: SourceType,
    /// Which one.
    source_id: Uuid,
    /// How likely it is, from 0 to 100.
    score: u8,
    /// Why.
    reasons: Vec<String>,
    /// `open`.
    status: &'static str,
    /// The payouts that are held for it from now on.
    payouts_held: Vec<Uuid>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Raise a suspicion of fraud
///
/// It holds the payouts that it concerns in the same unit, and later ones too: of a user all, of a campaign those of what
/// was earned there, of an assignment those of its creator from its campaign, of a payout that one.
#[utoipa::path(
    post, path = "/v1/admin/fraud", operation_id = "raiseFlag", tag = "fraud",
    request_body(content = RaiseFlag, example = json!({"source_type": "user",
        "source_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "score": 80, "reasons": ["the views are not real"]})),
    responses((status = 201, description = "It is raised", body = Raised,
        example = json!({"id": "71f3a8c2-0b4d-8e96-9d17-c5a2e8b04f3d", "source_type": "user",
            "source_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "score": 80, "reasons": ["the views are not real"],
            "status": "open", "payouts_held": ["9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10"], "position": "51",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn raise(State(state): State<AppState>, write: Write<RaiseFlag>) -> Result<Response, Problem> {
    let body = &write.body;
    let case = use_cases::RaiseFlag {
        source_type: body.source_type,
        source_id: Place::field("source_id").id(&body.source_id)?,
        // A number that no score can be is as much out of range as the largest one, and refused as that.
        score: u8::try_from(body.score).unwrap_or(u8::MAX),
        reasons: body.reasons.clone(),
    };
    let written = write.run(&state, "fraud.raise", super::PATH, &case).await?;
    let raised = written.find::<FraudFlag, _>(|event| match event {
        FraudFlagEvent::Raised(raised) => Some(raised),
        _ => None,
    })?;
    let held = written
        .events_of::<Payout>()
        .into_iter()
        .filter_map(|event| match event {
            PayoutEvent::Held(held) => Some(held.payout.0),
            _ => None,
        });
    let answer = Raised {
        id: raised.flag.0,
        source_type: raised.source_type,
        source_id: raised.source_id,
        score: raised.score,
        reasons: raised.reasons,
        status: Status::Open.as_str(),
        payouts_held: held.collect(),
        recorded: written.recorded()?,
    };
    let location = format!("{}/{}", super::PATH, answer.id);
    written.answer(StatusCode::CREATED, Some(location), &answer)
}
