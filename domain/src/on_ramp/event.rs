//! V-Coin is bought.

use crate::aggregate::DomainEvent;
use crate::effects::{self, Effect};
use crate::ids::{OnRampId, UserId};
use crate::money::{Money, Rate, Vcoin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_ledger::event_types;

/// An event of stream `on_ramp/<id>`, which has just this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum OnRampEvent {
    /// Fiat money came in, V-Coin was issued for it.
    #[serde(rename = "on_ramp.completed")]
    Completed(Completed),
}

/// V-Coin was issued for fiat money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completed {
    /// How much was issued: the fiat money divided by the rate, rounded down.
    pub amount_vcoin: Vcoin,
    /// What came in.
    pub fiat: Money,
    /// The entry that shows it: the provider's id of the charge, or a line of a bank statement.
    pub fiat_entry: String,
    /// Which purchase.
    pub on_ramp: OnRampId,
    /// What one V-Coin costs.
    pub rate: Rate,
    /// The ledger's transaction.
    pub transaction: Uuid,
    /// Whose wallet.
    pub user: UserId,
}

event_types!(OnRampEvent {
    Completed => "on_ramp.completed" "1",
});

impl DomainEvent for OnRampEvent {
    fn effects(&self) -> Vec<Effect> {
        let OnRampEvent::Completed(completed) = self;
        let asset = completed.fiat.asset;
        let postings = vec![
            effects::fiat(effects::clearing(asset), effects::backing(asset), completed.fiat),
            effects::vcoin(
                effects::issuance(),
                effects::wallet(completed.user),
                completed.amount_vcoin,
            ),
        ];
        let transaction = effects::transaction("on_ramp", "on_ramp", completed.on_ramp.0, postings);
        vec![effects::post(completed.transaction, transaction)]
    }
}
