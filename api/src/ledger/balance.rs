//! The balance of one account, now or as it was.

use super::views::{TotalsView, unknown_account};
use crate::parse::{self, Place};
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use viral_ledger::{Account, Address, Asset, NormalSide};
use viral_store::Position;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BalanceParams {
    as_of: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Balance {
    account: Address,
    asset: Asset,
    normal_side: NormalSide,
    #[serde(flatten)]
    totals: TotalsView,
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

/// `GET /v1/ledger/accounts/{address}/balance`
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
