//! What can be asked of the book.

use crate::account::NormalSide;
use crate::address::Address;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::transaction::{NewTransaction, Posting, Reference};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// A command to the book. Each accepted command becomes exactly one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Open an account.
    OpenAccount {
        /// Where.
        account: Address,
        /// What it counts.
        asset: Asset,
        /// The side it grows on.
        normal_side: NormalSide,
        /// Whether its balance may go below zero.
        may_go_negative: bool,
    },
    /// Stop all postings to an account for now.
    FreezeAccount {
        /// Which.
        account: Address,
        /// Why.
        reason: Option<String>,
    },
    /// Allow postings again.
    UnfreezeAccount {
        /// Which.
        account: Address,
        /// Why.
        reason: Option<String>,
    },
    /// Stop all postings to an empty account for ever.
    CloseAccount {
        /// Which.
        account: Address,
        /// Why.
        reason: Option<String>,
    },
    /// Move money.
    Post(NewTransaction),
    /// Undo a transaction by its mirror image, effective now. That it happens once is the log's business: the id of a
    /// reversal derives from the original's, see [`crate::ids::reversal_of`].
    Reverse {
        /// The transaction to undo.
        original: Uuid,
        /// Its postings, as they were posted.
        postings: Vec<Posting>,
        /// Whether it is itself a reversal.
        is_reversal: bool,
        /// Why.
        reason: Option<String>,
    },
    /// Set money aside. The hold's id is the id of the event.
    PlaceHold {
        /// Whose money.
        account: Address,
        /// How much.
        amount: Amount,
        /// Of what: must be the account's asset.
        asset: Asset,
        /// From when on it can no longer be captured.
        expires_at: Option<DateTime<Utc>>,
        /// What it is about.
        reference: Option<Reference>,
    },
    /// Turn a hold into a transaction out of its account, up to its amount; the rest is released. It takes effect now.
    Capture {
        /// Which hold.
        hold: Uuid,
        /// The movements.
        transaction: NewTransaction,
    },
    /// Release a hold.
    VoidHold {
        /// Which hold.
        hold: Uuid,
        /// Why.
        reason: Option<String>,
    },
    /// Release a hold whose time is over.
    ExpireHold {
        /// Which hold.
        hold: Uuid,
    },
    /// Accept nothing effective on or before this day (UTC) from now on.
    ClosePeriod {
        /// The last day of the closed period.
        through: NaiveDate,
    },
    /// Record the hash of the present state.
    TakeSnapshot {
        /// The position of the last event that is part of the state.
        position: u64,
    },
}
