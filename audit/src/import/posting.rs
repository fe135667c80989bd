//! The port through which rows are appended: whoever owns the writer of the log implements it.

use async_trait::async_trait;
use viral_ledger::{Address, Asset, NewTransaction, NormalSide};
use viral_store::Position;

/// An account to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Where.
    pub address: Address,
    /// What it counts.
    pub asset: Asset,
    /// The side it grows on.
    pub normal_side: NormalSide,
    /// Whether its balance may go below zero.
    pub may_go_negative: bool,
}

/// An entry of a foreign journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it comes from.
    pub source: String,
    /// Its id there. The unit's id derives from both.
    pub entry_id: String,
    /// Everything it says, in canonical form: another content under the same id is refused.
    pub content: String,
    /// Accounts to open first, in the same unit.
    pub open: Vec<NewAccount>,
    /// The transaction.
    pub transaction: NewTransaction,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostResult {
    /// It is in the log now; its unit begins at this position.
    Posted(Position),
    /// It was in the log before, with the same content; its unit begins at this position.
    Duplicate(Position),
    /// An entry of this id with another content is in the log at this position.
    Reused(Position),
    /// Somebody else has just opened one of the accounts that were to be opened. Nothing was written.
    AccountExists,
    /// It is refused for what it says.
    Refused(String),
    /// The log cannot be reached. The entry may be in the log: sending it again is safe.
    Unavailable(String),
    /// Something is broken; sending it again does not help.
    Failed(String),
}

/// A question that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PortError {
    /// Why.
    pub reason: String,
    /// Whether asking again may help.
    pub retryable: bool,
}

/// Appends entries.
#[async_trait]
pub trait Poster: Send + Sync {
    /// Which of these accounts exist.
    async fn existing(&self, addresses: Vec<Address>) -> Result<Vec<Address>, PortError>;

    /// Whether an entry is in the log.
    async fn knows(&self, source: &str, entry_id: &str) -> Result<bool, PortError>;

    /// Appends entries in this order, each for itself, and answers for each in the same order.
    async fn post(&self, entries: Vec<Entry>) -> Vec<PostResult>;
}
