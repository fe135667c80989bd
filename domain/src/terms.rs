//! What the platform takes and allows. Terms are configuration; whatever is decided by them is recorded in the events
//! that used them, so that a later change does not rewrite the past.

use crate::money::{Rate, Vcoin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use viral_ledger::{Amount, Asset};

/// A share in hundredths of a percent: 500 is 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BasisPoints(#[schemars(range(max = 10000))] pub u16);

impl BasisPoints {
    /// The whole.
    pub const ALL: BasisPoints = BasisPoints(10_000);

    /// This share of an amount, rounded down to a minor unit.
    pub fn of(self, amount: Vcoin) -> Vcoin {
        let share = amount.0.minor() * i128::from(self.0.min(BasisPoints::ALL.0)) / i128::from(BasisPoints::ALL.0);
        // A share of an amount is within the bounds of one.
        Vcoin(Amount::from_minor(share).unwrap_or(Amount::ZERO))
    }
}

/// The terms that new decisions are made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The platform's share of a reward, fixed for an assignment when it is accepted.
    pub fee: BasisPoints,
    /// What one V-Coin is in fiat money, at purchases and payouts.
    pub rate: Rate,
    /// The fiat money.
    pub fiat: Asset,
    /// A payout above this needs an admin's approval beside the sponsor's.
    pub admin_limit: Vcoin,
    /// How often a payout is sent before it has failed for good.
    pub payout_attempts: u32,
}
