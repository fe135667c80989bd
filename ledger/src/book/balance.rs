//! Debits equal credits, after every change.

use super::{Book, Savepoint, Undo};
use crate::account::Account;
use crate::address::Address;
use crate::asset::Asset;

impl Book {
    /// An asset whose debits and credits have not grown by the same since a savepoint. In a sound book there is none. Only
    /// the accounts that changed are looked at.
    pub fn unbalanced_since(&self, savepoint: Savepoint) -> Option<Asset> {
        let net = |account: &Account| account.debits.minor() - account.credits.minor();
        let undone = self.undo.get(savepoint.undo..).unwrap_or_default().iter();
        let mut changed: Vec<(&Address, &Option<Account>)> = undone
            .filter_map(|undo| match undo {
                Undo::Account(address, before) => Some((address, before)),
                _ => None,
            })
            .collect();
        // What an account was at the savepoint is remembered first, and a stable sort leaves it so.
        changed.sort_by_key(|(address, _)| *address);
        changed.dedup_by_key(|(address, _)| *address);
        let mut grown: Vec<(Asset, i128)> = Vec::with_capacity(1);
        for (address, before) in changed {
            let Some(after) = self.accounts.get(address) else {
                continue;
            };
            let growth = net(after) - before.as_ref().map_or(0, net);
            match grown.iter_mut().find(|(asset, _)| *asset == after.asset) {
                Some((_, sum)) => *sum += growth,
                None => grown.push((after.asset, growth)),
            }
        }
        grown.into_iter().find(|(_, grown)| *grown != 0).map(|(asset, _)| asset)
    }
}
