//! What is in a wallet, and how it came to that.

use crate::cursor::{self, Cursor};
use crate::kind;
use crate::openapi::schemas;
use crate::parse::{self, Place};
use crate::problem::Problem;
use crate::query;
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use viral_domain::UserId;
use viral_projections::queries::{TransactionFilter, Wallet};

/// What the answers are made of: the wallet, and the titles of campaigns.
const MODELS: &[&str] = &["wallets", "campaigns"];

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WalletParams {
    /// `next_cursor` of the page of transactions before, as it is.
    cursor: Option<String>,
    /// How many transactions a page has, at most.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<String>,
    /// Only transactions with this code.
    #[param(value_type = schemas::Code, required = false)]
    r#type: Option<String>,
    /// Only transactions effective at this time or later.
    #[param(value_type = schemas::Time, required = false)]
    from: Option<String>,
    /// Only transactions effective before this time.
    #[param(value_type = schemas::Time, required = false)]
    to: Option<String>,
}

/// A wallet with a page of its transactions.
#[derive(Serialize, ToSchema)]
#[schema(as = WalletPage)]
struct Page {
    #[schema(value_type = schemas::Wallet)]
    #[serde(flatten)]
    wallet: Wallet,
    /// Where the next page of transactions begins. Absent on the last one.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Look at one's own wallet
///
/// Balance, holds, escrows and transactions are all as of one `position`.
#[utoipa::path(
    get, path = "/v1/wallets/me", operation_id = "getOwnWallet", tag = "wallets", params(WalletParams, MinPosition),
    responses((status = 200, description = "The wallet", body = Page,
        example = json!({"account": "user:2f8b6c1d-7e3a-8c94-a05b-93d1e4f7a6c2:wallet", "balance_vcoin": "4900.0000",
            "held_vcoin": "0.0000", "available_vcoin": "4900.0000", "in_payout_vcoin": "0.0000", "escrow_vcoin": "100.0000",
            "escrow": [{"campaign_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", "title": "A launch",
                "balance_vcoin": "100.0000", "held_vcoin": "0.0000"}], "holds": [], "holds_total": 0,
            "transactions": [{"id": "3d0b5b9c-52f7-8a0e-8f2b-7be0b1d6a1f4",
                "transaction_id": "b1f6a1d2-4c3e-8b7a-8e21-5f0d9c3a7b88", "type": "fund", "amount_vcoin": "-100.0000",
                "balance_after": "4900.0000", "reference_type": "campaign",
                "reference_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", "status": "posted",
                "effective_at": "2026-03-01T12:00:00.000000Z", "posted_at": "2026-03-01T12:00:00.000000Z"}],
            "position": "21", "next_cursor": "772f32302f30"}))),
)]
pub(crate) async fn own(State(state): State<AppState>, read: Read<WalletParams>) -> Result<Response, Problem> {
    let user = read.caller.user()?;
    wallet(&state, &read, user).await
}

/// Look at a user's wallet
#[utoipa::path(
    get, path = "/v1/wallets/{id}", operation_id = "getWallet", tag = "wallets",
    params(("id" = Uuid, Path, description = "The user's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"),
        WalletParams, MinPosition),
    responses((status = 200, description = "The wallet", body = Page,
        example = json!({"account": "user:5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11:wallet", "balance_vcoin": "15.0000",
            "held_vcoin": "0.0000", "available_vcoin": "15.0000", "in_payout_vcoin": "80.0000", "escrow_vcoin": "0.0000",
            "escrow": [], "holds": [], "holds_total": 0, "transactions": [], "position": "47"}))),
)]
pub(crate) async fn of_user(
    State(state): State<AppState>,
    Path(id): Path<String>,
    read: Read<WalletParams>,
) -> Result<Response, Problem> {
    let user = UserId(parse::id(&id)?);
    wallet(&state, &read, user).await
}

async fn wallet(state: &AppState, read: &Read<WalletParams>, user: UserId) -> Result<Response, Problem> {
    let params = &read.params;
    let limit = query::limit(params.limit.as_deref())?;
    let after = match params.cursor.as_deref().map(Cursor::parse).transpose()? {
        Some(Cursor::Wallet(key)) => Some(key),
        None => None,
        Some(_) => return Err(cursor::invalid()),
    };
    let filter = filter(params)?;
    read.reached(state, MODELS).await?;
    let found = state.read_models()?.wallet(user, &filter, after, limit).await?;
    let none = || Problem::new(kind::UNKNOWN_USER, format!("there is no user {user} with a wallet"));
    let wallet = found.value.ok_or_else(none)?;
    let next_cursor = wallet.next.map(|key| Cursor::Wallet(key).to_text());
    read.many(found.position, &Page { wallet, next_cursor })
}

fn filter(params: &WalletParams) -> Result<TransactionFilter, Problem> {
    let code = params.r#type.as_deref().map(|text| Place::field("type").code(text));
    let (from, to) = query::span(params.from.as_deref(), params.to.as_deref())?;
    Ok(TransactionFilter {
        code: code.transpose()?.map(|code| code.to_string()),
        from,
        to,
    })
}
