//! What can be asked of a purchase.

use crate::ids::{OnRampId, UserId};
use crate::money::Money;
use crate::terms::Terms;
use uuid::Uuid;

/// A command to a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnRampCommand {
    /// Issue V-Coin for fiat money that came in.
    Complete {
        /// The purchase: its id derives from the fiat entry.
        on_ramp: OnRampId,
        /// Whose wallet.
        user: UserId,
        /// What came in.
        fiat: Money,
        /// The entry that shows it.
        fiat_entry: String,
        /// The terms of today.
        terms: Terms,
        /// The ledger's transaction.
        transaction: Uuid,
    },
}
