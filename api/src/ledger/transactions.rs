//! Transactions: posting them, finding one, and going through all of them.

use super::views::{self, TransactionView, unknown_transaction};
use crate::cursor::{self, Cursor};
use crate::error::{self, Addressed};
use crate::json::AmountText;
use crate::openapi::schemas;
use crate::parse::{self, Place};
use crate::problem::Problem;
use crate::query::{self, NoQuery, Params};
use crate::state::AppState;
use crate::write::{Write, Written};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use viral_commands::Part;
use viral_ledger::{Address, Code, Command, NewTransaction, Posting, Reference, Transaction};
use viral_store::Position;

const PATH: &str = "/v1/ledger/transactions";
/// How many events one request looks at, at most: a filter that fits nothing must not read the whole log.
const MAX_SCANNED: u64 = 10_000;
/// How many events are read at once.
const READ_AT_ONCE: usize = 500;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParams {
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
    /// Only transactions that move this account.
    account: Option<String>,
    /// Only transactions of this kind.
    code: Option<String>,
}

/// A page of transactions.
#[derive(Serialize, ToSchema)]
pub(super) struct Transactions {
    /// In the order of the log.
    transactions: Vec<TransactionView>,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Which transactions a list is about.
struct Filter {
    account: Option<Address>,
    code: Option<Code>,
}

impl Filter {
    fn fits(&self, transaction: &Transaction) -> bool {
        let moves = |account: &Address| {
            let touches = |posting: &Posting| posting.debit == *account || posting.credit == *account;
            transaction.postings.iter().any(touches)
        };
        self.code.as_ref().is_none_or(|code| transaction.code == *code) && self.account.as_ref().is_none_or(moves)
    }
}

/// List transactions
///
/// In the order of the log, oldest first. A request looks at no more than 10,000 events, so a page may be short, or
/// empty, and still have a `next_cursor`: go on until there is none.
#[utoipa::path(
    get, path = "/v1/ledger/transactions", operation_id = "listTransactions", tag = "transactions",
    params(ListParams),
    responses((status = 200, description = "A page", body = Transactions,
        example = json!({"transactions": [{"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "position": "7",
            "recorded_at": "2026-03-01T12:00:01.000000Z", "actor": "operator", "code": "purchase",
            "effective_at": "2026-03-01T12:00:01.000000Z", "metadata": {"channel": "web"},
            "postings": [{"amount": "12.50", "asset": "USD", "credit": "shop:bob", "debit": "shop:alice"}],
            "reference": {"id": "4711", "type": "order"}}]}))),
)]
pub(super) async fn list(
    State(state): State<AppState>,
    Params(params): Params<ListParams>,
) -> Result<Json<Transactions>, Problem> {
    let limit = query::limit(params.limit.as_deref())?;
    let start = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Transactions(position)) => position,
        None => Position::START,
        Some(_) => return Err(cursor::invalid()),
    };
    let account = params
        .account
        .as_deref()
        .map(|text| Place::field("account").address(text));
    let code = params.code.as_deref().map(|text| Place::field("code").code(text));
    let filter = Filter {
        account: account.transpose()?,
        code: code.transpose()?,
    };
    let head = state.store().head().await?.position;
    if start > head {
        return Err(cursor::invalid());
    }
    let (transactions, end) = scan(&state, start, head, &filter, limit).await?;
    Ok(Json(Transactions {
        transactions,
        next_cursor: (end < head).then(|| Cursor::Transactions(end).to_text()),
    }))
}

/// The next transactions after a position, and the last position that was looked at.
async fn scan(
    state: &AppState,
    start: Position,
    head: Position,
    filter: &Filter,
    limit: usize,
) -> Result<(Vec<TransactionView>, Position), Problem> {
    let last = Position(head.0.min(start.0.saturating_add(MAX_SCANNED)));
    let (mut found, mut position) = (Vec::new(), start);
    while position < last {
        let rest = usize::try_from(last.0 - position.0).unwrap_or(READ_AT_ONCE);
        let events = state.store().read_after(position, rest.min(READ_AT_ONCE)).await?;
        if events.is_empty() {
            break;
        }
        for event in events {
            position = event.position;
            if let Some(transaction) = views::transaction(&event)?
                && filter.fits(&transaction)
            {
                found.push(TransactionView::new(&event, transaction)?);
            }
            if found.len() == limit {
                return Ok((found, position));
            }
        }
    }
    Ok((found, position))
}

/// Get a transaction
///
/// As it was answered when it was posted.
#[utoipa::path(
    get, path = "/v1/ledger/transactions/{id}", operation_id = "getTransaction", tag = "transactions",
    params(("id" = uuid::Uuid, Path, description = "The transaction's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    responses((status = 200, description = "The transaction", body = TransactionView,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "position": "7",
            "recorded_at": "2026-03-01T12:00:01.000000Z", "actor": "operator", "code": "purchase",
            "effective_at": "2026-03-01T12:00:01.000000Z", "metadata": {"channel": "web"},
            "postings": [{"amount": "12.50", "asset": "USD", "credit": "shop:bob", "debit": "shop:alice"}],
            "reference": {"id": "4711", "type": "order"}}))),
)]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(id): Path<String>,
    _: Params<NoQuery>,
) -> Result<Json<TransactionView>, Problem> {
    let id = parse::id(&id)?;
    let event = state.store().find(id).await?.ok_or_else(|| unknown_transaction(id))?;
    let transaction = views::transaction(&event)?.ok_or_else(|| unknown_transaction(id))?;
    Ok(Json(TransactionView::new(&event, transaction)?))
}

/// A transaction to post.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PostTransaction {
    /// Its kind; `transfer` if absent.
    #[schema(value_type = Option<schemas::Code>)]
    code: Option<String>,
    /// One line for people.
    description: Option<String>,
    /// When it takes effect; now if absent.
    #[schema(value_type = Option<schemas::Time>)]
    effective_at: Option<String>,
    /// Free fields.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// What it is about.
    #[schema(value_type = Option<schemas::Reference>)]
    reference: Option<Reference>,
    /// The movements.
    #[schema(min_items = 1, max_items = 200)]
    postings: Vec<PostingText>,
}

/// One amount to move from the credit of one account to the debit of another.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewPosting)]
#[serde(deny_unknown_fields, expecting = "an object with debit, credit, amount and asset")]
pub(super) struct PostingText {
    /// The account that is debited.
    #[schema(value_type = schemas::Address)]
    debit: String,
    /// The account that is credited.
    #[schema(value_type = schemas::Address)]
    credit: String,
    /// How much, more than zero.
    #[schema(value_type = schemas::Amount)]
    amount: AmountText,
    /// Of what.
    #[schema(value_type = schemas::Asset)]
    asset: String,
}

/// Reads postings between accounts that may be changed by generic writes.
pub(super) fn postings(texts: &[PostingText]) -> Result<Vec<Posting>, Problem> {
    let numbered = (1..).zip(texts);
    let read = numbered.map(|(number, text)| {
        let place = |field| Place::posting(number, field);
        let asset = place("asset").asset(&text.asset)?;
        Ok(Posting {
            debit: place("debit").open_address(&text.debit)?,
            credit: place("credit").open_address(&text.credit)?,
            amount: place("amount").amount(&text.amount, asset)?,
            asset,
        })
    });
    read.collect()
}

/// Post a transaction
///
/// One or more movements, all or nothing. A credit account, such as a wallet, grows when it is credited: to pay Alice,
/// debit the bank and credit Alice.
#[utoipa::path(
    post, path = "/v1/ledger/transactions", operation_id = "postTransaction", tag = "transactions",
    request_body(content = PostTransaction, example = json!({"code": "purchase",
        "reference": {"type": "order", "id": "4711"}, "metadata": {"channel": "web"},
        "postings": [{"debit": "shop:alice", "credit": "shop:bob", "amount": "12.50", "asset": "USD"}]})),
    responses((status = 201, description = "The transaction", body = TransactionView,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "position": "7",
            "recorded_at": "2026-03-01T12:00:01.000000Z", "actor": "operator", "code": "purchase",
            "effective_at": "2026-03-01T12:00:01.000000Z", "metadata": {"channel": "web"},
            "postings": [{"amount": "12.50", "asset": "USD", "credit": "shop:bob", "debit": "shop:alice"}],
            "reference": {"id": "4711", "type": "order"}}))),
)]
pub(super) async fn post(State(state): State<AppState>, write: Write<PostTransaction>) -> Result<Response, Problem> {
    let body = &write.body;
    let effective_at = body
        .effective_at
        .as_deref()
        .map(|text| Place::field("effective_at").time(text));
    let transaction = NewTransaction {
        code: code(body.code.as_deref(), Code::TRANSFER)?,
        description: body.description.clone(),
        effective_at: effective_at.transpose()?,
        metadata: body.metadata.clone(),
        postings: postings(&body.postings)?,
        reference: body.reference.clone(),
    };
    let command = Command::Post(transaction);
    let parts = vec![Part::Ledger { id: None, command }];
    let written = write
        .append(&state, "ledger.transaction.post", PATH, Addressed::Nothing, parts)
        .await?;
    posted(&written)
}

/// The code of a transaction, or the one that it has if nothing is said.
pub(super) fn code(text: Option<&str>, default: Code) -> Result<Code, Problem> {
    text.map_or(Ok(default), |text| Place::field("code").code(text))
}

/// The answer to a write that ends in a transaction.
pub(super) fn posted(written: &Written) -> Result<Response, Problem> {
    let event = written.event()?;
    let transaction = views::transaction(event)?;
    let transaction = transaction.ok_or_else(|| error::internal(&"a transaction was posted by another event"))?;
    let view = TransactionView::new(event, transaction)?;
    let location = format!("{PATH}/{}", event.event_id);
    written.answer(StatusCode::CREATED, Some(location), &view)
}
