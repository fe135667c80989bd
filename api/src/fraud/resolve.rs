//! Confirming or dismissing a suspicion.

use crate::parse;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases;
use viral_domain::FlagId;
use viral_domain::fraud_flag::{FraudFlag, FraudFlagEvent, Status};
use viral_domain::payout::{Payout, PayoutEvent};

/// What was found.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Resolution {
    /// It is fraud: what is held stays held.
    Confirm,
    /// It is none: what is held is released.
    Dismiss,
}

impl From<Resolution> for use_cases::Resolution {
    fn from(resolution: Resolution) -> use_cases::Resolution {
        match resolution {
            Resolution::Confirm => use_cases::Resolution::Confirm,
            Resolution::Dismiss => use_cases::Resolution::Dismiss,
        }
    }
}

/// What became of a suspicion.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveFlag {
    /// What was found.
    resolution: Resolution,
    /// In words.
    #[schema(max_length = 4000)]
    note: Option<String>,
}

/// A suspicion that was resolved.
#[derive(Serialize, ToSchema)]
#[schema(as = ResolvedFlag)]
struct Resolved {
    /// The suspicion's id.
    id: Uuid,
    /// `confirmed` or `dismissed`.
    status: &'static str,
    /// What was found, in words.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The payouts that it no longer holds. Others may.
    payouts_released: Vec<Uuid>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Resolve a suspicion of fraud
#[utoipa::path(
    post, path = "/v1/admin/fraud/{id}/resolve", operation_id = "resolveFlag", tag = "fraud",
    params(("id" = Uuid, Path, description = "The suspicion's id", example = "71f3a8c2-0b4d-8e96-9d17-c5a2e8b04f3d")),
    request_body(content = ResolveFlag, example = json!({"resolution": "dismiss", "note": "the views are real"})),
    responses((status = 200, description = "It is resolved", body = Resolved,
        example = json!({"id": "71f3a8c2-0b4d-8e96-9d17-c5a2e8b04f3d", "status": "dismissed", "note": "the views are real",
            "payouts_released": ["9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10"], "position": "56",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn resolve(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<ResolveFlag>,
) -> Result<Response, Problem> {
    let flag = FlagId(parse::id(&id)?);
    let case = use_cases::ResolveFlag {
        flag,
        resolution: write.body.resolution.into(),
        note: write.body.note.clone(),
    };
    let path = format!("{}/{flag}/resolve", super::PATH);
    let written = write.run(&state, "fraud.resolve", &path, &case).await?;
    let (status, resolved) = written.find::<FraudFlag, _>(|event| match event {
        FraudFlagEvent::Confirmed(resolved) => Some((Status::Confirmed, resolved)),
        FraudFlagEvent::Dismissed(resolved) => Some((Status::Dismissed, resolved)),
        FraudFlagEvent::Raised(_) => None,
    })?;
    let released = written
        .events_of::<Payout>()
        .into_iter()
        .filter_map(|event| match event {
            PayoutEvent::Released(released) => Some(released.payout.0),
            _ => None,
        });
    let answer = Resolved {
        id: resolved.flag.0,
        status: status.as_str(),
        note: resolved.note,
        payouts_released: released.collect(),
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &answer)
}
