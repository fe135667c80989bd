//! Which accounts exist, and how those are opened that do not.

use super::error::ImportError;
use super::options::{Options, Patterns};
use super::posting::NewAccount;
use super::row::Row;
use std::collections::HashSet;
use viral_ledger::{Address, NormalSide};

/// The accounts that an import has met.
pub(super) struct Accounts {
    overdraft: Patterns,
    debit_normal: Patterns,
    existing: HashSet<Address>,
}

impl Accounts {
    pub(super) fn new(options: &Options) -> Result<Accounts, ImportError> {
        Ok(Accounts {
            overdraft: Patterns::compile("--overdraft", &options.overdraft)?,
            debit_normal: Patterns::compile("--debit-normal", &options.debit_normal)?,
            existing: HashSet::new(),
        })
    }

    /// These are there.
    pub(super) fn learn(&mut self, addresses: impl IntoIterator<Item = Address>) {
        self.existing.extend(addresses);
    }

    /// Whether the account is known to be there.
    pub(super) fn exists(&self, address: &Address) -> bool {
        self.existing.contains(address)
    }

    /// The accounts of rows of which it is not known whether they are there.
    pub(super) fn unknown<'a>(&self, rows: impl Iterator<Item = &'a Row>) -> Vec<Address> {
        let unknown: HashSet<&Address> = rows
            .flat_map(Row::addresses)
            .filter(|address| !self.exists(address))
            .collect();
        unknown.into_iter().cloned().collect()
    }

    /// What a row has to open.
    pub(super) fn to_open(&self, row: &Row) -> Vec<NewAccount> {
        let missing = row.addresses().into_iter().filter(|address| !self.exists(address));
        missing
            .map(|address| NewAccount {
                address: address.clone(),
                asset: row.posting.asset,
                normal_side: self.normal_side(address),
                may_go_negative: self.overdraft.matches(address),
            })
            .collect()
    }

    fn normal_side(&self, address: &Address) -> NormalSide {
        if self.debit_normal.matches(address) {
            NormalSide::Debit
        } else {
            NormalSide::Credit
        }
    }
}
