//! The balance of one account, now or as it was.

use super::views::{TotalsView, unknown_account};
use crate::openapi::schemas;
use crate::parse::{self, Place};
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_ledger::{Account, Address, Asset, NormalSide};
use viral_store::Position;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct BalanceParams {
    /// A position of the log, or a time as in RFC 3339: everything recorded up to it. Now if absent.
    as_of: Option<String>,
}

/// The totals of one account at one position.
#[derive(Serialize, ToSchema)]
pub(super) struct Balance {
    /// Its address.
    #[schema(value_type = schemas::Address)]
    account: Address,
    /// What it counts.
    #[schema(value_type = schemas::Asset)]
    asset: Asset,
    /// The side on which it grows.
    #[schema(value_type = schemas::NormalSide)]
    normal_side: NormalSide,
    #[serde(flatten)]
    totals: TotalsView,
    /// What it is as of.
    #[schema(value_type = schemas::Position)]
    position: String,
}

impl Balance {
    fn of(address: Address, account: Option<&Account>, position: Position) -> Result<Json<Balance>, Problem> {
        let account = account.ok_or_else(|| unknown_account(&address, position))?;
        Ok(Json(Balance {
            account: address,
            asset: account.asset,
            normal_side: account.normal_side,
            totals: TotalsView::of(account),
            position: position.to_string(),
        }))
    }
}

/// Get the balance of an account, now or as it was
///
/// The past is computed from the events; two such computations run at a time, more wait, and 503 `busy` after 10 s.
#[utoipa::path(
    get, path = "/v1/ledger/accounts/{address}/balance", operation_id = "getBalance", tag = "accounts",
    params(("address" = schemas::Address, Path, description = "The account's address", example = "shop:alice"), BalanceParams),
    responses((status = 200, description = "The balance", body = Balance,
        example = json!({"account": "shop:alice", "asset": "USD", "normal_side": "credit", "debits": "30.00",
            "credits": "100.00", "balance": "70.00", "held": "0.00", "available": "70.00", "position": "7"}))),
)]
pub(super) async fn get(
    State(state): State<AppState>,
    Path(address): Path<String>,
    Params(params): Params<BalanceParams>,
) -> Result<Json<Balance>, Problem> {
    let address = Place::field("address").address(&address)?;
    let Some(as_of) = params.as_of else {
        let asked = address.clone();
        let read = state.read(move |book, position| (book.account(&asked).cloned(), position));
        let (account, position) = read.await?;
        return Balance::of(address, account.as_ref(), position);
    };
    let as_of = parse::as_of(&as_of)?;
    let position = state.history().resolve(as_of, state.now()).await?;
    let past = state.history().at(position).await?;
    let account = past.book.account(&address);
    Balance::of(address.clone(), account, position)
}
