//! Accounts: one asset, a normal side, what may be done with them, and their totals.

use crate::amount::Amount;
use crate::asset::Asset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The side on which an account grows: assets and expenses on the debit side, liabilities and income on the credit
/// side. V-Coin in circulation is a liability of the platform, so wallets are credit accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NormalSide {
    /// Grows by debits.
    Debit,
    /// Grows by credits.
    Credit,
}

/// What may be done with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// The balance may go below zero.
    pub may_go_negative: bool,
    /// Nothing is posted or held until it is unfrozen.
    pub frozen: bool,
    /// Nothing is ever posted or held again.
    pub closed: bool,
}

/// The state of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What it counts.
    pub asset: Asset,
    /// The side it grows on.
    pub normal_side: NormalSide,
    /// What may be done with it.
    pub flags: Flags,
    /// The sum of all debits, in minor units.
    pub debits: Amount,
    /// The sum of all credits, in minor units.
    pub credits: Amount,
    /// The sum of its open holds, in minor units.
    pub held: Amount,
}

impl Account {
    /// An account without any postings.
    pub fn new(asset: Asset, normal_side: NormalSide, may_go_negative: bool) -> Account {
        Account {
            asset,
            normal_side,
            flags: Flags {
                may_go_negative,
                ..Flags::default()
            },
            debits: Amount::ZERO,
            credits: Amount::ZERO,
            held: Amount::ZERO,
        }
    }

    /// The balance on the normal side, in minor units: what an owner would call "what is there".
    pub fn balance(&self) -> i128 {
        let debits_over_credits = self.debits.minor() - self.credits.minor();
        match self.normal_side {
            NormalSide::Debit => debits_over_credits,
            NormalSide::Credit => -debits_over_credits,
        }
    }

    /// What can be spent: the balance less what is held, in minor units.
    pub fn available(&self) -> i128 {
        self.balance() - self.held.minor()
    }
}
