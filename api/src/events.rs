//! The log, event by event, as its lines: the same objects that exports and the message broker carry, byte for byte.

use crate::error;
use crate::kind;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::query::{self, Params};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use viral_store::{Position, StoredEvent, line};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    /// Only events after this position; from the beginning if absent. The `position` of a page's last event gives the
    /// next page.
    #[param(value_type = schemas::Position, required = false, default = "0")]
    after: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
}

/// A page of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct Events {
    /// By their position, without gaps.
    #[schema(value_type = Vec<Line>)]
    events: Vec<Box<RawValue>>,
    /// The position of the log's last event. There are more pages until an event has it.
    #[schema(value_type = schemas::Position)]
    head: String,
}

/// An event as a CloudEvents 1.0 object.
#[derive(ToSchema)]
#[schema(as = EventLine)]
#[expect(dead_code, reason = "only its schema is used: lines are written out as they are")]
pub(crate) struct Line {
    /// Who asked for it: a pseudonymous id.
    #[schema(required = false, nullable = false)]
    actor: Option<String>,
    /// What kind of thing it happened to.
    aggregatetype: String,
    /// The event that it follows from.
    #[schema(required = false, nullable = false)]
    causationid: Option<String>,
    /// The request or process that it belongs to.
    #[schema(required = false, nullable = false)]
    correlationid: Option<String>,
    /// What happened. Personal fields are sealed.
    #[schema(value_type = Object)]
    data: (),
    /// The schema of `data`.
    dataschema: String,
    /// When it takes effect, if that is not when it was recorded.
    #[schema(value_type = schemas::Time, required = false)]
    effectivetime: Option<String>,
    /// The event's id.
    id: Uuid,
    /// Its place in the log.
    #[schema(value_type = schemas::Position)]
    position: String,
    /// The hash of the request, where it came with an idempotency key.
    #[schema(required = false, nullable = false)]
    requesthash: Option<String>,
    /// Its place among the events of its subject, from 1.
    #[schema(value_type = schemas::Position)]
    sequence: String,
    /// The log.
    source: String,
    /// `1.0`.
    specversion: String,
    /// What it happened to.
    subject: String,
    /// When it was recorded.
    #[schema(value_type = schemas::Time)]
    time: String,
    /// What kind of event it is.
    r#type: String,
    /// The unit that it was recorded with.
    unitid: Uuid,
}

/// List events
///
/// The whole log in its order, as its lines stand in exports.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "listEvents", tag = "events", params(ListParams),
    responses((status = 200, description = "A page", body = Events,
        example = json!({"events": [{"actor": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "aggregatetype": "campaign",
            "data": {"campaign": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "type": "campaign.published"},
            "dataschema": "urn:viral:event:campaign.published:1", "id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
            "position": "17", "sequence": "3", "source": "urn:viral:log:0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6070",
            "specversion": "1.0", "subject": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "time": "2026-03-01T12:00:00.000000Z", "type": "campaign.published",
            "unitid": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071"}], "head": "31"}))),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Params(params): Params<ListParams>,
) -> Result<Json<Events>, Problem> {
    let limit = query::limit(params.limit.as_deref())?;
    let after = params
        .after
        .as_deref()
        .map(position)
        .transpose()?
        .unwrap_or(Position::START);
    // The head first: whoever has read up to it has read everything that was there.
    let head = state.store().head().await?.position;
    let events = match after < head {
        true => state.store().read_after(after, limit).await?,
        false => Vec::new(),
    };
    Ok(Json(Events {
        events: lines(&events, state.store().source())?,
        head: head.to_string(),
    }))
}

fn position(text: &str) -> Result<Position, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits {
        // A number that no position can be is beyond the head of any log.
        return Ok(Position(text.parse().unwrap_or(u64::MAX)));
    }
    let detail = "after: write a position such as 4711";
    Err(Problem::new(kind::INVALID_POSITION, detail).with("field", "after"))
}

/// The lines of events.
pub(crate) fn lines(events: &[StoredEvent], source: &str) -> Result<Vec<Box<RawValue>>, Problem> {
    let line = |event: &StoredEvent| {
        let text = line::to_line(event, source).map_err(|e| error::internal(&e))?;
        RawValue::from_string(text).map_err(|e| error::internal(&e))
    };
    events.iter().map(line).collect()
}
