//! Holds: placing, capturing and voiding them, and those that are open.

use super::transactions::{self, PostingText};
use super::views::{self, HoldView, Recorded, TransactionView, unknown_hold};
use crate::cursor::{self, Cursor};
use crate::error::{self, Addressed};
use crate::json::AmountText;
use crate::openapi::schemas;
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
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use viral_commands::Part;
use viral_ledger::{Address, Asset, Book, BookEvent, Code, Command, Hold, NewTransaction, Reference, timestamp};

const PATH: &str = "/v1/ledger/holds";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
}

/// A page of open holds.
#[derive(Serialize, ToSchema)]
pub(super) struct Holds {
    /// Sorted by id.
    holds: Vec<OpenHold>,
    /// What it is as of.
    #[schema(value_type = schemas::Position)]
    position: String,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A hold that is open.
#[derive(Serialize, ToSchema)]
struct OpenHold {
    /// Its id.
    id: Uuid,
    /// Where the money is set aside.
    #[schema(value_type = schemas::Address)]
    account: Address,
    /// How much is set aside.
    #[schema(value_type = schemas::Amount)]
    amount: String,
    /// Of what.
    #[schema(value_type = schemas::Asset)]
    asset: Asset,
    /// When it can no longer be captured. Absent if it never expires.
    #[schema(value_type = schemas::Time, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// List open holds
#[utoipa::path(
    get, path = "/v1/ledger/holds", operation_id = "listHolds", tag = "holds", params(ListParams),
    responses((status = 200, description = "A page", body = Holds,
        example = json!({"holds": [{"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "account": "shop:alice",
            "amount": "30.00", "asset": "USD"}], "position": "9"}))),
)]
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

/// Get a hold
///
/// A hold as it was placed, and whether it is open or resolved.
#[utoipa::path(
    get, path = "/v1/ledger/holds/{id}", operation_id = "getHold", tag = "holds",
    params(("id" = Uuid, Path, description = "The hold's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    responses((status = 200, description = "The hold", body = HoldView,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "status": "open", "account": "shop:alice",
            "amount": "30.00", "asset": "USD", "position": "9", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator"}))),
)]
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

/// Money to set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceHold {
    /// Where.
    #[schema(value_type = schemas::Address)]
    account: String,
    /// How much, more than zero.
    #[schema(value_type = schemas::Amount)]
    amount: AmountText,
    /// Of what.
    #[schema(value_type = schemas::Asset)]
    asset: String,
    /// From when on it cannot be captured; never if absent.
    #[schema(value_type = Option<schemas::Time>)]
    expires_at: Option<String>,
    /// What it is about.
    #[schema(value_type = Option<schemas::Reference>)]
    reference: Option<Reference>,
}

/// Place a hold
///
/// Sets money aside: what is held cannot be spent.
#[utoipa::path(
    post, path = "/v1/ledger/holds", operation_id = "placeHold", tag = "holds",
    request_body(content = PlaceHold, example = json!({"account": "shop:alice", "amount": "30", "asset": "USD"})),
    responses((status = 201, description = "It is held", body = HoldView,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "account": "shop:alice",
            "amount": "30.00", "asset": "USD", "position": "9", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator"}))),
)]
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
    let event = state
        .writer()?
        .store()
        .find(id)
        .await?
        .ok_or_else(|| unknown_hold(id))?;
    let placed = views::hold_placed(&event)?.ok_or_else(|| unknown_hold(id))?;
    Place::field("hold").not_reserved(&placed.account)?;
    Ok(id)
}

/// What a hold is turned into.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureHold {
    /// The transaction's kind; `capture` if absent.
    #[schema(value_type = Option<schemas::Code>)]
    code: Option<String>,
    /// One line for people.
    description: Option<String>,
    /// Free fields.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// What it is about.
    #[schema(value_type = Option<schemas::Reference>)]
    reference: Option<Reference>,
    /// The movements out of the hold's account, up to its amount.
    #[schema(min_items = 1, max_items = 200)]
    postings: Vec<PostingText>,
}

/// Capture a hold
///
/// Turns it into a transaction out of its account, up to its amount, effective now, and releases the rest.
#[utoipa::path(
    post, path = "/v1/ledger/holds/{id}/capture", operation_id = "captureHold", tag = "holds",
    params(("id" = Uuid, Path, description = "The hold's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    request_body(content = CaptureHold, example = json!({"postings": [
        {"debit": "shop:alice", "credit": "shop:bob", "amount": "25", "asset": "USD"}]})),
    responses((status = 201, description = "The transaction", body = TransactionView,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "position": "10", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator", "code": "capture", "effective_at": "2026-03-01T12:00:00.000000Z",
            "captures": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
            "postings": [{"amount": "25.00", "asset": "USD", "credit": "shop:bob", "debit": "shop:alice"}]}))),
)]
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

/// Why a hold is released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VoidHold {
    /// One line for people.
    reason: Option<String>,
}

/// A hold that was released.
#[derive(Serialize, ToSchema)]
#[schema(as = VoidedHold)]
struct Voided {
    /// Its id.
    id: Uuid,
    /// `voided`.
    status: &'static str,
    /// Why.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Void a hold
///
/// Releases it. A hold is resolved once.
#[utoipa::path(
    post, path = "/v1/ledger/holds/{id}/void", operation_id = "voidHold", tag = "holds",
    params(("id" = Uuid, Path, description = "The hold's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    request_body(content = Option<VoidHold>, example = json!({"reason": "out of stock"})),
    responses((status = 200, description = "It is released", body = Voided,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "status": "voided", "reason": "out of stock",
            "position": "11", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator"}))),
)]
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
