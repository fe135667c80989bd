//! Accounts: listing, opening, and freezing, unfreezing and closing them.

use super::views::{AccountView, Recorded, unknown_account};
use crate::cursor::{self, Cursor};
use crate::error::{self, Addressed};
use crate::kind;
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
use viral_commands::Part;
use viral_ledger::event::{AccountChanged, AccountOpened};
use viral_ledger::{Account, Address, Asset, Book, BookEvent, Command, NormalSide};

const PATH: &str = "/v1/ledger/accounts";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    cursor: Option<String>,
    limit: Option<String>,
    prefix: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Accounts {
    accounts: Vec<AccountView>,
    position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// `GET /v1/ledger/accounts`
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

#[derive(Serialize)]
pub(super) struct AccountNow {
    #[serde(flatten)]
    account: AccountView,
    position: String,
}

/// `GET /v1/ledger/accounts/{address}`
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenAccount {
    account: String,
    asset: String,
    normal_side: Option<NormalSide>,
    may_go_negative: Option<bool>,
}

#[derive(Serialize)]
struct Opened {
    account: Address,
    asset: Asset,
    normal_side: NormalSide,
    may_go_negative: bool,
    #[serde(flatten)]
    recorded: Recorded,
}

/// `POST /v1/ledger/accounts`
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    reason: Option<String>,
}

#[derive(Serialize)]
struct Changed {
    account: Address,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// `POST /v1/ledger/accounts/{address}/freeze`
pub(super) async fn freeze(state: State<AppState>, address: Path<String>, write: Write<Reason>) -> Answer {
    let command = |account, reason| Command::FreezeAccount { account, reason };
    change(state, address, write, "freeze", command).await
}

/// `POST /v1/ledger/accounts/{address}/unfreeze`
pub(super) async fn unfreeze(state: State<AppState>, address: Path<String>, write: Write<Reason>) -> Answer {
    let command = |account, reason| Command::UnfreezeAccount { account, reason };
    change(state, address, write, "unfreeze", command).await
}

/// `POST /v1/ledger/accounts/{address}/close`
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
