//! Debits equal credits, after every change.

use super::{Book, Savepoint, Undo};
use crate::account::Account;
use crate::asset::Asset;
use std::collections::{BTreeMap, HashSet};

impl Book {
    /// An asset whose debits and credits have not grown by the same since a savepoint. In a sound book there is none. Only
    /// the accounts that changed are looked at.
    pub fn unbalanced_since(&self, savepoint: Savepoint) -> Option<Asset> {
        let net = |account: &Account| account.debits.minor() - account.credits.minor();
        let mut grown: BTreeMap<Asset, i128> = BTreeMap::new();
        let mut seen = HashSet::new();
        for undo in self.undo.get(savepoint.undo..).unwrap_or_default() {
            // What an account was at the savepoint is remembered first.
            let Undo::Account(address, before) = undo else { continue };
            if !seen.insert(address) {
                continue;
            }
            if let Some(after) = self.accounts.get(address) {
                *grown.entry(after.asset).or_default() += net(after) - before.as_ref().map_or(0, net);
            }
        }
        grown.into_iter().find(|(_, grown)| *grown != 0).map(|(asset, _)| asset)
    }
}
