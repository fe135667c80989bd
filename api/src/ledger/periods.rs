//! Closing periods.

use super::views::Recorded;
use crate::error::{self, Addressed};
use crate::parse::Place;
use crate::problem::Problem;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use viral_commands::Part;
use viral_ledger::{BookEvent, Command};

const PATH: &str = "/v1/ledger/periods/close";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClosePeriod {
    through: String,
}

#[derive(Serialize)]
struct Closed {
    through: String,
    #[serde(flatten)]
    recorded: Recorded,
}

/// `POST /v1/ledger/periods/close`
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
