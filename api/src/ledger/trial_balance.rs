//! The trial balance: every account's totals at one position, in pages that fit each other.

use crate::cursor::{self, Cursor};
use crate::history::{AsOf, PastBook};
use crate::openapi::schemas;
use crate::parse;
use crate::problem::Problem;
use crate::query::{self, Params};
use crate::state::AppState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_ledger::trial_balance::Row;
use viral_ledger::{Address, Asset};
use viral_store::Position;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialBalanceParams {
    /// `next_cursor` of the page before, as it is.
    cursor: Option<String>,
    /// How many entries a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
    /// A position of the log, or a time as in RFC 3339: everything recorded up to it. Now if absent.
    as_of: Option<String>,
}

/// A page of a trial balance.
#[derive(Serialize, ToSchema)]
#[schema(as = TrialBalance)]
pub(super) struct TrialBalancePage {
    /// What it is as of.
    #[schema(value_type = schemas::Position)]
    position: String,
    /// Whether debits equal credits in every asset.
    balanced: bool,
    /// The sums over all accounts, also those on other pages.
    totals: Vec<AssetTotals>,
    /// Sorted by address.
    #[schema(value_type = Vec<TrialBalanceRow>)]
    accounts: Vec<Row>,
    /// Where the next page begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// One account of a trial balance: what [`Row`] looks like.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only its schema is used, which the tests compare with real answers"
)]
struct TrialBalanceRow {
    /// The account.
    #[schema(value_type = schemas::Address)]
    address: Address,
    /// What it counts.
    #[schema(value_type = schemas::Asset)]
    asset: Asset,
    /// The sum of its debits.
    #[schema(value_type = schemas::Amount)]
    debits: String,
    /// The sum of its credits.
    #[schema(value_type = schemas::Amount)]
    credits: String,
    /// The balance on its normal side.
    #[schema(value_type = schemas::Amount)]
    balance: String,
}

/// The sums of one asset over all accounts.
#[derive(Serialize, ToSchema)]
struct AssetTotals {
    /// Which.
    #[schema(value_type = schemas::Asset)]
    asset: Asset,
    /// All debits.
    #[schema(value_type = schemas::Amount)]
    debits: String,
    /// All credits.
    #[schema(value_type = schemas::Amount)]
    credits: String,
    /// Whether they are equal.
    balanced: bool,
}

/// Get the trial balance
///
/// Every account's debits, credits and balance as of one position, and per asset the sums over all accounts, which must
/// be equal. All pages are as of the position of the first one, whatever is written meanwhile: the cursor carries it.
#[utoipa::path(
    get, path = "/v1/ledger/trial-balance", operation_id = "getTrialBalance", tag = "reports",
    params(TrialBalanceParams),
    responses((status = 200, description = "A page", body = TrialBalancePage,
        example = json!({"position": "6", "balanced": true,
            "totals": [{"asset": "USD", "debits": "100.00", "credits": "100.00", "balanced": true}],
            "accounts": [
                {"address": "shop:alice", "asset": "USD", "debits": "0.00", "credits": "100.00", "balance": "100.00"},
                {"address": "shop:bank", "asset": "USD", "debits": "100.00", "credits": "0.00", "balance": "-100.00"}
            ]}))),
)]
// Every page is computed from a book of the past, also the first one at the head: the sums over all accounts would hold
// up the writer.
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
