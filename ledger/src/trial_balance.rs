//! The trial balance: every account's totals, which must add up to the same on both sides in every asset.

use crate::account::Account;
use crate::address::Address;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::book::Book;
use serde::Serialize;
use std::collections::BTreeMap;

/// One account of a trial balance. Amounts are decimals at the asset's scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The account.
    pub address: Address,
    /// What it counts.
    pub asset: Asset,
    /// The sum of its debits.
    pub debits: String,
    /// The sum of its credits.
    pub credits: String,
    /// The balance on its normal side: debits − credits for debit accounts, credits − debits for credit accounts.
    pub balance: String,
}

/// A trial balance at a position of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialBalance {
    /// The last position that is part of it, a decimal string.
    pub position: String,
    /// All accounts, sorted by address.
    pub accounts: Vec<Row>,
}

/// The sums of one asset over all accounts, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// All debits.
    pub debits: i128,
    /// All credits.
    pub credits: i128,
}

impl Row {
    /// The row of one account.
    pub fn new(address: &Address, account: &Account) -> Row {
        let text = |amount: Amount| amount.to_text(account.asset);
        let balance = Amount::from_minor(account.balance());
        Row {
            address: address.clone(),
            asset: account.asset,
            debits: text(account.debits),
            credits: text(account.credits),
            // The difference of two amounts that are both not negative is within the bounds.
            balance: balance.map_or_else(|_| account.balance().to_string(), text),
        }
    }
}

impl TrialBalance {
    /// The trial balance of a book that has taken in the log up to `position`.
    pub fn of(book: &Book, position: u64) -> TrialBalance {
        TrialBalance {
            position: position.to_string(),
            accounts: book
                .accounts()
                .map(|(address, account)| Row::new(address, account))
                .collect(),
        }
    }
}

impl TrialBalance {
    /// The sums of every asset, in minor units.
    pub fn totals(&self) -> BTreeMap<Asset, Totals> {
        let mut totals: BTreeMap<Asset, Totals> = BTreeMap::new();
        for row in &self.accounts {
            // The rows were written from amounts of this asset.
            let minor = |text: &str| Amount::parse(text, row.asset).map_or(0, Amount::minor);
            let sums = totals.entry(row.asset).or_default();
            sums.debits += minor(&row.debits);
            sums.credits += minor(&row.credits);
        }
        totals
    }
}

impl Book {
    /// The sums of every asset; debits equal credits in each, or the book is broken.
    pub fn totals(&self) -> BTreeMap<Asset, Totals> {
        let mut totals: BTreeMap<Asset, Totals> = BTreeMap::new();
        for (_, account) in self.accounts() {
            let sums = totals.entry(account.asset).or_default();
            sums.debits += account.debits.minor();
            sums.credits += account.credits.minor();
        }
        totals
    }
}
