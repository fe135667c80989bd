//! Accounts: listing, opening, and freezing, unfreezing and closing them.

use super::views::{AccountView, Recorded, unknown_account};
use crate::cursor::{self, Cursor};
use crate::error::{self, Addressed};
use crate::kind;
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::query::{self, NoQuery, Params};
use crate::state::AppState;
use crate::write::Write;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_commands::Part;
use viral_ledger::event::{AccountChanged, AccountOpened};
use viral_ledger::{Account, Address, Asset, Book, BookEvent, Command, NormalSide};

const PATH: &str = "/v1/ledger/accounts";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
    /// Only accounts whose address begins with this.
    prefix: Option<String>,
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub(super) struct Accounts {
    /// Sorted by address.
    accounts: Vec<AccountView>,
    /// What it is as of.
    #[schema(value_type = schemas::Position)]
    position: String,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List accounts
///
/// Accounts sorted by address, with their totals.
#[utoipa::path(
    get, path = "/v1/ledger/accounts", operation_id = "listAccounts", tag = "accounts", params(ListParams),
    responses((status = 200, description = "A page", body = Accounts,
        example = json!({"accounts": [{"account": "shop:alice", "asset": "USD", "normal_side": "credit", "may_go_negative": false, "frozen": false,
            "closed": false, "debits": "30.00", "credits": "100.00", "balance": "70.00", "held": "0.00",
            "available": "70.00"}], "position": "7"}))),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    Params(params): Params<ListParams>,
) -> Result<Json<Accounts>, Problem> {
    let limit = query::limit(params.limit.as_deref())?;
    let after = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Accounts(address)) => Some(address),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let prefix = params.prefix.unwrap_or_default();
    check_prefix(&prefix)?;
    let (mut page, position) = state
        .read(move |book, position| (page(book, after.as_ref(), &prefix, limit + 1), position))
        .await?;
    let more = page.len() > limit;
    page.truncate(limit);
    let last = page.last().filter(|_| more).map(|(address, _)| address.clone());
    Ok(Json(Accounts {
        accounts: page
            .into_iter()
            .map(|(address, account)| AccountView::of(address, &account))
            .collect(),
        position: position.to_string(),
        next_cursor: last.map(|address| Cursor::Accounts(address).to_text()),
    }))
}

/// This runs between two batches of the writer: it takes what the page needs and no more.
fn page(book: &Book, after: Option<&Address>, prefix: &str, limit: usize) -> Vec<(Address, Account)> {
    // Addresses with the prefix follow each other; one that is the prefix itself is the first of them.
    let whole = Address::parse(prefix).ok();
    let first = whole.filter(|address| after.is_none_or(|after| after < address));
    let first = first.and_then(|address| Some((address.clone(), book.account(&address)?.clone())));
    let after = after.map_or(prefix, |after| after.as_str().max(prefix));
    let rest = book
        .accounts_after(Some(after))
        .take_while(|(address, _)| address.as_str().starts_with(prefix));
    let rest = rest.map(|(address, account)| (address.clone(), account.clone()));
    first.into_iter().chain(rest).take(limit).collect()
}

fn check_prefix(prefix: &str) -> Result<(), Problem> {
    let usable = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':');
    if prefix.len() <= Address::MAX_LENGTH && prefix.bytes().all(usable) {
        return Ok(());
    }
    let detail = "prefix: the beginning of an address, letters, digits, '_', '-' and ':'";
    Err(Problem::new(kind::INVALID_QUERY, detail).with("field", "prefix"))
}

/// An account and its totals at the end of the log.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountNow {
    #[serde(flatten)]
    account: AccountView,
    /// What it is as of.
    #[schema(value_type = schemas::Position)]
    position: String,
}

/// Get an account
#[utoipa::path(
    get, path = "/v1/ledger/accounts/{address}", operation_id = "getAccount", tag = "accounts",
    params(("address" = schemas::Address, Path, description = "The account's address", example = "shop:alice")),
    responses((status = 200, description = "The account", body = AccountNow,
        example = json!({"account": "shop:alice", "asset": "USD", "normal_side": "credit", "may_go_negative": false, "frozen": false,
            "closed": false, "debits": "30.00", "credits": "100.00", "balance": "70.00", "held": "0.00",
            "available": "70.00", "position": "7"}))),
)]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(address): Path<String>,
    _: Params<NoQuery>,
) -> Result<Json<AccountNow>, Problem> {
    let address = Place::field("address").address(&address)?;
    let asked = address.clone();
    let read = state.read(move |book, position| (book.account(&asked).cloned(), position));
    let (account, position) = read.await?;
    let account = account.ok_or_else(|| unknown_account(&address, position))?;
    Ok(Json(AccountNow {
        account: AccountView::of(address, &account),
        position: position.to_string(),
    }))
}

/// An account to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenAccount {
    /// Its address.
    #[schema(value_type = schemas::Address)]
    account: String,
    /// What it counts.
    #[schema(value_type = schemas::Asset)]
    asset: String,
    /// The side on which it grows; `credit` if absent.
    #[schema(value_type = Option<schemas::NormalSide>)]
    normal_side: Option<NormalSide>,
    /// Whether its balance may go below zero; `false` if absent.
    may_go_negative: Option<bool>,
}

/// An account that was opened.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenedAccount)]
struct Opened {
    /// Its address.
    #[schema(value_type = schemas::Address)]
    account: Address,
    /// What it counts.
    #[schema(value_type = schemas::Asset)]
    asset: Asset,
    /// The side on which it grows.
    #[schema(value_type = schemas::NormalSide)]
    normal_side: NormalSide,
    /// Whether its balance may go below zero.
    may_go_negative: bool,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Open an account
#[utoipa::path(
    post, path = "/v1/ledger/accounts", operation_id = "openAccount", tag = "accounts",
    request_body(content = OpenAccount, example = json!({"account": "shop:alice", "asset": "USD"})),
    responses((status = 201, description = "It is open", body = Opened,
        example = json!({"account": "shop:alice", "asset": "USD", "normal_side": "credit", "may_go_negative": false,
            "position": "2", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator"}))),
)]
pub(super) async fn open(State(state): State<AppState>, write: Write<OpenAccount>) -> Result<Response, Problem> {
    let command = Command::OpenAccount {
        account: Place::field("account").open_address(&write.body.account)?,
        asset: Place::field("asset").asset(&write.body.asset)?,
        normal_side: write.body.normal_side.unwrap_or(NormalSide::Credit),
        may_go_negative: write.body.may_go_negative.unwrap_or(false),
    };
    let parts = vec![Part::Ledger { id: None, command }];
    let written = write
        .append(&state, "ledger.account.open", PATH, Addressed::Nothing, parts)
        .await?;
    let BookEvent::AccountOpened(AccountOpened {
        account,
        asset,
        may_go_negative,
        normal_side,
    }) = written.book_event()?
    else {
        return Err(error::internal(&"an account was opened by another event"));
    };
    let location = format!("{PATH}/{account}");
    let opened = Opened {
        account,
        asset,
        normal_side,
        may_go_negative,
        recorded: Recorded::of(written.event()?)?,
    };
    written.answer(StatusCode::CREATED, Some(location), &opened)
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// One line for people.
    reason: Option<String>,
}

/// An account that was changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedAccount)]
struct Changed {
    /// Its address.
    #[schema(value_type = schemas::Address)]
    account: Address,
    /// `frozen`, `open` or `closed`.
    status: &'static str,
    /// Why.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Freeze an account
///
/// A frozen account takes no postings and no holds until it is unfrozen.
#[utoipa::path(
    post, path = "/v1/ledger/accounts/{address}/freeze", operation_id = "freezeAccount", tag = "accounts",
    params(("address" = schemas::Address, Path, description = "The account's address", example = "shop:alice")),
    request_body(content = Option<Reason>, example = json!({"reason": "under review"})),
    responses((status = 200, description = "It is done", body = Changed,
        example = json!({"account": "shop:alice", "status": "frozen", "reason": "under review",
            "position": "8", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator"}))),
)]
pub(super) async fn freeze(state: State<AppState>, address: Path<String>, write: Write<Reason>) -> Answer {
    let command = |account, reason| Command::FreezeAccount { account, reason };
    change(state, address, write, "freeze", command).await
}

/// Unfreeze an account
#[utoipa::path(
    post, path = "/v1/ledger/accounts/{address}/unfreeze", operation_id = "unfreezeAccount", tag = "accounts",
    params(("address" = schemas::Address, Path, description = "The account's address", example = "shop:alice")),
    request_body(content = Option<Reason>, example = json!({"reason": "under review"})),
    responses((status = 200, description = "It is done", body = Changed,
        example = json!({"account": "shop:alice", "status": "open", "reason": "under review",
            "position": "8", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator"}))),
)]
pub(super) async fn unfreeze(state: State<AppState>, address: Path<String>, write: Write<Reason>) -> Answer {
    let command = |account, reason| Command::UnfreezeAccount { account, reason };
    change(state, address, write, "unfreeze", command).await
}

/// Close an account
///
/// A closed account never takes anything again. It must be empty.
#[utoipa::path(
    post, path = "/v1/ledger/accounts/{address}/close", operation_id = "closeAccount", tag = "accounts",
    params(("address" = schemas::Address, Path, description = "The account's address", example = "shop:alice")),
    request_body(content = Option<Reason>, example = json!({"reason": "under review"})),
    responses((status = 200, description = "It is done", body = Changed,
        example = json!({"account": "shop:alice", "status": "closed", "reason": "under review",
            "position": "8", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator"}))),
)]
pub(super) async fn close(state: State<AppState>, address: Path<String>, write: Write<Reason>) -> Answer {
    let command = |account, reason| Command::CloseAccount { account, reason };
    change(state, address, write, "close", command).await
}

type Answer = Result<Response, Problem>;

async fn change(
    State(state): State<AppState>,
    Path(address): Path<String>,
    write: Write<Reason>,
    verb: &str,
    command: impl FnOnce(Address, Option<String>) -> Command,
) -> Answer {
    let address = Place::field("address").open_address(&address)?;
    let operation = format!("ledger.account.{verb}");
    let path = format!("{PATH}/{address}/{verb}");
    let command = command(address, write.body.reason.clone());
    let parts = vec![Part::Ledger { id: None, command }];
    let written = write
        .append(&state, &operation, &path, Addressed::Account, parts)
        .await?;
    let (status, AccountChanged { account, reason }) = match written.book_event()? {
        BookEvent::AccountFrozen(changed) => ("frozen", changed),
        BookEvent::AccountUnfrozen(changed) => ("open", changed),
        BookEvent::AccountClosed(changed) => ("closed", changed),
        _ => return Err(error::internal(&"an account was changed by another event")),
    };
    let changed = Changed {
        account,
        status,
        reason,
        recorded: Recorded::of(written.event()?)?,
    };
    written.answer(StatusCode::OK, None, &changed)
}
