//! Holds: placing, capturing and voiding them, and those that are open.

use super::transactions::{self, PostingText};
use super::views::{self, HoldView, Recorded, unknown_hold};
use crate::cursor::{self, Cursor};
use crate::error::{self, Addressed};
use crate::json::AmountText;
use crate::parse::{self, Place};
use crate::problem::Problem;
use crate::query::{self, NoQuery, Params};
use crate::state::AppState;
use crate::write::Write;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Bound;
use uuid::Uuid;
use viral_commands::Part;
use viral_ledger::{Address, Asset, Book, BookEvent, Code, Command, Hold, NewTransaction, Reference, timestamp};

const PATH: &str = "/v1/ledger/holds";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    cursor: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Holds {
    holds: Vec<OpenHold>,
    position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct OpenHold {
    id: Uuid,
    account: Address,
    amount: String,
    asset: Asset,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// `GET /v1/ledger/holds`
pub(super) async fn list(
    State(state): State<AppState>,
    Params(params): Params<ListParams>,
) -> Result<Json<Holds>, Problem> {
    let limit = query::limit(params.limit.as_deref())?;
    let after = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Holds(id)) => Some(id),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let read = state.read(move |book, position| (page(book, after, limit + 1), position));
    let (mut page, position) = read.await?;
    let more = page.len() > limit;
    page.truncate(limit);
    let last = page.last().filter(|_| more).map(|(id, ..)| *id);
    let open = page.into_iter().map(|(id, hold, asset)| OpenHold {
        id,
        account: hold.account,
        amount: asset.decimal(hold.amount.minor()),
        asset,
        expires_at: hold.expires_at.as_ref().map(timestamp::to_text),
    });
    Ok(Json(Holds {
        holds: open.collect(),
        position: position.to_string(),
        next_cursor: last.map(|id| Cursor::Holds(id).to_text()),
    }))
}

fn page(book: &Book, after: Option<Uuid>, limit: usize) -> Vec<(Uuid, Hold, Asset)> {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    let holds = book.holds().range((start, Bound::Unbounded));
    let with_asset = |(id, hold): (&Uuid, &Hold)| Some((*id, hold.clone(), book.account(&hold.account)?.asset));
    holds.filter_map(with_asset).take(limit).collect()
}

/// `GET /v1/ledger/holds/{id}`
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    _: Params<NoQuery>,
) -> Result<Json<HoldView>, Problem> {
    let id = parse::id(&id)?;
    let event = state.store().find(id).await?.ok_or_else(|| unknown_hold(id))?;
    let placed = views::hold_placed(&event)?.ok_or_else(|| unknown_hold(id))?;
    let open = state.read(move |book, _| book.hold(id).is_some()).await?;
    let status = if open { "open" } else { "resolved" };
    Ok(Json(HoldView::of(&event, placed)?.with_status(status)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceHold {
    account: String,
    amount: AmountText,
    asset: String,
    expires_at: Option<String>,
    reference: Option<Reference>,
}

/// `POST /v1/ledger/holds`
pub(super) async fn place(State(state): State<AppState>, write: Write<PlaceHold>) -> Result<Response, Problem> {
    let body = &write.body;
    let account = Place::field("account").open_address(&body.account)?;
    let asset = Place::field("asset").asset(&body.asset)?;
    let expires_at = body
        .expires_at
        .as_deref()
        .map(|text| Place::field("expires_at").time(text));
    let command = Command::PlaceHold {
        account,
        amount: Place::field("amount").amount(&body.amount, asset)?,
        asset,
        expires_at: expires_at.transpose()?,
        reference: body.reference.clone(),
    };
    let parts = vec![Part::Ledger { id: None, command }];
    let written = write
        .append(&state, "ledger.hold.place", PATH, Addressed::Nothing, parts)
        .await?;
    let BookEvent::HoldPlaced(placed) = written.book_event()? else {
        return Err(error::internal(&"a hold was placed by another event"));
    };
    let location = format!("{PATH}/{}", placed.hold);
    let view = HoldView::of(written.event()?, placed)?;
    written.answer(StatusCode::CREATED, Some(location), &view)
}

/// The id of a hold in the path, if it was placed on an account that may be changed by generic writes.
async fn changeable(state: &AppState, id: &str) -> Result<Uuid, Problem> {
    let id = parse::id(id)?;
    let event = state.store().find(id).await?.ok_or_else(|| unknown_hold(id))?;
    let placed = views::hold_placed(&event)?.ok_or_else(|| unknown_hold(id))?;
    Place::field("hold").not_reserved(&placed.account)?;
    Ok(id)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureHold {
    code: Option<String>,
    description: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    reference: Option<Reference>,
    postings: Vec<PostingText>,
}

/// `POST /v1/ledger/holds/{id}/capture`
pub(super) async fn capture(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<CaptureHold>,
) -> Result<Response, Problem> {
    let hold = changeable(&state, &id).await?;
    let body = &write.body;
    let transaction = NewTransaction {
        code: transactions::code(body.code.as_deref(), Code::CAPTURE)?,
        description: body.description.clone(),
        effective_at: None,
        metadata: body.metadata.clone(),
        postings: transactions::postings(&body.postings)?,
        reference: body.reference.clone(),
    };
    let command = Command::Capture { hold, transaction };
    let parts = vec![Part::Ledger { id: None, command }];
    let path = format!("{PATH}/{hold}/capture");
    let written = write
        .append(&state, "ledger.hold.capture", &path, Addressed::Hold, parts)
        .await?;
    transactions::posted(&written)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VoidHold {
    reason: Option<String>,
}

#[derive(Serialize)]
struct Voided {
    id: Uuid,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// `POST /v1/ledger/holds/{id}/void`
pub(super) async fn void(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<VoidHold>,
) -> Result<Response, Problem> {
    let hold = changeable(&state, &id).await?;
    let reason = write.body.reason.clone();
    let command = Command::VoidHold { hold, reason };
    let parts = vec![Part::Ledger { id: None, command }];
    let path = format!("{PATH}/{hold}/void");
    let written = write
        .append(&state, "ledger.hold.void", &path, Addressed::Hold, parts)
        .await?;
    let BookEvent::HoldVoided(released) = written.book_event()? else {
        return Err(error::internal(&"a hold was voided by another event"));
    };
    let voided = Voided {
        id: released.hold,
        status: "voided",
        reason: released.reason,
        recorded: Recorded::of(written.event()?)?,
    };
    written.answer(StatusCode::OK, None, &voided)
}
