//! The trial balance: every account's totals at one position, in pages that fit each other.

use crate::cursor::{self, Cursor};
use crate::history::{AsOf, PastBook};
use crate::parse;
use crate::problem::Problem;
use crate::query::{self, Params};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use viral_ledger::Asset;
use viral_ledger::trial_balance::Row;
use viral_store::Position;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialBalanceParams {
    cursor: Option<String>,
    limit: Option<String>,
    as_of: Option<String>,
}

#[derive(Serialize)]
pub(super) struct TrialBalancePage {
    position: String,
    balanced: bool,
    totals: Vec<AssetTotals>,
    accounts: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct AssetTotals {
    asset: Asset,
    debits: String,
    credits: String,
    balanced: bool,
}

/// `GET /v1/ledger/trial-balance`
///
/// Every page is computed from a book of the past, also the first one at the head: the sums over all accounts would
/// hold up the writer.
pub(super) async fn get(
    State(state): State<AppState>,
    Params(params): Params<TrialBalanceParams>,
) -> Result<Json<TrialBalancePage>, Problem> {
    let limit = query::limit(params.limit.as_deref())?;
    let from_cursor = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::TrialBalance(position, address)) => Some((position, address)),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let as_of = params.as_of.as_deref().map(parse::as_of).transpose()?;
    let position = position(&state, as_of, from_cursor.as_ref().map(|(position, _)| *position)).await?;
    let past = state.history().at(position).await?;
    Ok(Json(page(
        &past,
        from_cursor.as_ref().map(|(_, address)| address.as_str()),
        limit,
    )))
}

/// The position of the first page is that of all; asking for another one in the middle is a mistake.
async fn position(state: &AppState, as_of: Option<AsOf>, cursor: Option<Position>) -> Result<Position, Problem> {
    let history = state.history();
    let asked = match as_of {
        Some(as_of) => Some(history.resolve(as_of, state.now()).await?),
        None => None,
    };
    match (cursor, asked) {
        (None, Some(asked)) => Ok(asked),
        (None, None) => Ok(state.store().head().await?.position),
        (Some(cursor), Some(asked)) if cursor != asked => Err(cursor::invalid()),
        (Some(cursor), _) => history.resolve(AsOf::Position(cursor), state.now()).await,
    }
}

fn page(past: &PastBook, after: Option<&str>, limit: usize) -> TrialBalancePage {
    let totals: Vec<AssetTotals> = past
        .totals
        .iter()
        .map(|(asset, totals)| AssetTotals {
            asset: *asset,
            debits: asset.decimal(totals.debits),
            credits: asset.decimal(totals.credits),
            balanced: totals.debits == totals.credits,
        })
        .collect();
    let rows = past.book.accounts_after(after).take(limit + 1);
    let mut accounts: Vec<Row> = rows.map(|(address, account)| Row::new(address, account)).collect();
    let more = accounts.len() > limit;
    accounts.truncate(limit);
    let last = accounts.last().filter(|_| more).map(|row| row.address.clone());
    TrialBalancePage {
        position: past.position.to_string(),
        balanced: totals.iter().all(|asset| asset.balanced),
        totals,
        accounts,
        next_cursor: last.map(|address| Cursor::TrialBalance(past.position, address).to_text()),
    }
}
