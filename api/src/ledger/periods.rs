//! Closing periods.

use super::views::Recorded;
use crate::error::{self, Addressed};
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use viral_commands::Part;
use viral_ledger::{BookEvent, Command};

const PATH: &str = "/v1/ledger/periods/close";

/// A period to close.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClosePeriod {
    /// Its last day, which must be over.
    #[schema(value_type = schemas::Date)]
    through: String,
}

/// The books are closed.
#[derive(Serialize, ToSchema)]
#[schema(as = ClosedPeriod)]
struct Closed {
    /// The last day that is closed.
    #[schema(value_type = schemas::Date)]
    through: String,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Close a period
///
/// Closes the books through a day (UTC): nothing effective on or before it is accepted any more. A closed period is never
/// opened again.
#[utoipa::path(
    post, path = "/v1/ledger/periods/close", operation_id = "closePeriod", tag = "periods",
    request_body(content = ClosePeriod, example = json!({"through": "1992-12-31"})),
    responses((status = 200, description = "The books are closed", body = Closed,
        example = json!({"through": "1992-12-31", "position": "12", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator"}))),
)]
pub(super) async fn close(State(state): State<AppState>, write: Write<ClosePeriod>) -> Result<Response, Problem> {
    let through = Place::field("through").date(&write.body.through)?;
    let command = Command::ClosePeriod { through };
    let parts = vec![Part::Ledger { id: None, command }];
    let written = write
        .append(&state, "ledger.period.close", PATH, Addressed::Nothing, parts)
        .await?;
    let BookEvent::PeriodClosed(closed) = written.book_event()? else {
        return Err(error::internal(&"a period was closed by another event"));
    };
    let body = Closed {
        through: closed.through.to_string(),
        recorded: Recorded::of(written.event()?)?,
    };
    written.answer(StatusCode::OK, None, &body)
}
