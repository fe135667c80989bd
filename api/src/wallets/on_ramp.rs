//! Buying V-Coin: fiat money that came in is turned into V-Coin in a wallet, once for each entry that shows it.

use crate::json::AmountText;
use crate::kind;
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases::OnRampFiat;
use viral_domain::on_ramp::{OnRamp, OnRampEvent};
use viral_domain::{Money, Rate, UserId, Vcoin};

/// Fiat money.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object with amount and asset")]
#[schema(as = FiatMoney)]
pub(crate) struct Fiat {
    /// How much, more than zero.
    #[schema(value_type = schemas::Amount)]
    amount: AmountText,
    /// In which currency.
    #[schema(value_type = schemas::Asset)]
    asset: String,
}

/// Fiat money that came in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BuyVcoin {
    /// How much.
    fiat: Fiat,
    /// The entry that shows it: the provider's id of the charge, or a line of a bank statement. It counts once.
    #[schema(min_length = 1, max_length = 200)]
    fiat_entry: String,
    /// Into whose wallet: an admin says so, a sponsor's own is the only one for them.
    #[schema(value_type = Option<Uuid>)]
    user_id: Option<String>,
}

/// V-Coin that was bought.
#[derive(Serialize, ToSchema)]
#[schema(as = BoughtVcoin)]
struct Bought {
    /// The purchase's id, which derives from the entry.
    id: Uuid,
    /// Whose wallet.
    user_id: Uuid,
    /// What came in.
    #[schema(value_type = schemas::Money)]
    fiat: Money,
    /// The entry that shows it.
    fiat_entry: String,
    /// What one V-Coin cost.
    #[schema(value_type = schemas::Rate)]
    rate: Rate,
    /// How much was issued: the fiat money divided by the rate, rounded down.
    #[schema(value_type = schemas::Vcoin)]
    amount_vcoin: Vcoin,
    /// The ledger's transaction.
    transaction_id: Uuid,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Buy V-Coin
///
/// Issues V-Coin for fiat money that came in. An admin, who has seen it come in, says whose wallet; a sponsor can buy
/// under `--dev` only.
#[utoipa::path(
    post, path = "/v1/wallets/on-ramp", operation_id = "buyVcoin", tag = "wallets",
    request_body(content = BuyVcoin, example = json!({"fiat": {"amount": "50.00", "asset": "USD"}, "fiat_entry": "ch_4711",
        "user_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11"})),
    responses((status = 201, description = "It is in the wallet", body = Bought,
        example = json!({"id": "0b7e5d0a-3f6c-8a43-9d55-7c1f2b9e4a66", "user_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "fiat": {"amount": "50.00", "asset": "USD"}, "fiat_entry": "ch_4711", "rate": "0.01", "amount_vcoin": "5000.0000",
            "transaction_id": "b1f6a1d2-4c3e-8b7a-8e21-5f0d9c3a7b88", "position": "9",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn buy(State(state): State<AppState>, write: Write<BuyVcoin>) -> Result<Response, Problem> {
    let body = &write.body;
    let asset = Place::field("fiat.asset").asset(&body.fiat.asset)?;
    let amount = Place::field("fiat.amount").amount(&body.fiat.amount, asset)?;
    let case = OnRampFiat {
        user: buyer(&write)?,
        fiat: Money { amount, asset },
        fiat_entry: body.fiat_entry.clone(),
    };
    let written = write
        .run(&state, "wallet.on_ramp", "/v1/wallets/on-ramp", &case)
        .await?;
    let completed = written.find::<OnRamp, _>(|event| {
        let OnRampEvent::Completed(completed) = event;
        Some(completed)
    })?;
    let answer = Bought {
        id: completed.on_ramp.0,
        user_id: completed.user.0,
        fiat: completed.fiat,
        fiat_entry: completed.fiat_entry,
        rate: completed.rate,
        amount_vcoin: completed.amount_vcoin,
        transaction_id: completed.transaction,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::CREATED, None, &answer)
}

/// Whose wallet it is for. That of somebody else is refused by the use case.
fn buyer(write: &Write<BuyVcoin>) -> Result<UserId, Problem> {
    if let Some(user) = &write.body.user_id {
        return Place::field("user_id").id(user).map(UserId);
    }
    let nobody = || Problem::new(kind::INVALID_BODY, "user_id: say into whose wallet").with("field", "user_id");
    write.caller.owner()?.ok_or_else(nobody)
}
