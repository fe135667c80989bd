//! The book: the state of all accounts and open holds, and the two functions that every change goes through.

mod balance;
mod checks;
mod decide;
mod evolve;
#[cfg(test)]
mod tests;

use crate::account::Account;
use crate::address::Address;
use crate::amount::Amount;
use crate::event::BookEvent;
use crate::refusal::Refusal;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Money that is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Whose.
    pub account: Address,
    /// How much, in minor units of the account's asset.
    pub amount: Amount,
    /// From when on it can no longer be captured.
    pub expires_at: Option<DateTime<Utc>>,
}

/// An event that a sound book could not have produced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The state does not allow it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// It contradicts the state in a way no command could.
    #[error("{0}")]
    Contradiction(String),
}

/// The state of the ledger.
///
/// Equality compares accounts, holds, closing date and sequence.
#[derive(Debug, Clone, Default)]
pub struct Book {
    accounts: HashMap<Address, Account>,
    /// The same addresses in order, for pages and the state text.
    order: BTreeSet<Address>,
    holds: BTreeMap<Uuid, Hold>,
    closed_through: Option<NaiveDate>,
    /// How many events of the book's stream were applied.
    sequence: u64,
    /// What to put back, newest last, while a savepoint is open.
    undo: Vec<Undo>,
    recording: bool,
}

impl PartialEq for Book {
    fn eq(&self, other: &Book) -> bool {
        self.sequence == other.sequence
            && self.closed_through == other.closed_through
            && self.holds == other.holds
            && self.accounts == other.accounts
    }
}

#[derive(Debug, Clone)]
enum Undo {
    Account(Address, Option<Account>),
    Hold(Uuid, Option<Hold>),
    ClosedThrough(Option<NaiveDate>),
}

/// A state of the book that [`Book::rollback`] can return to, until [`Book::forget`].
#[derive(Debug, Clone, Copy)]
pub struct Savepoint {
    undo: usize,
    sequence: u64,
}

impl Savepoint {
    /// The sequence of the book then.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// What [`Book::decide`] answers.
pub type Decision = Result<BookEvent, Refusal>;

impl Book {
    /// A book without accounts.
    pub fn new() -> Book {
        Book::default()
    }

    /// Puts a book together from its parts, as a snapshot has them.
    pub(crate) fn from_parts(
        accounts: HashMap<Address, Account>,
        holds: BTreeMap<Uuid, Hold>,
        closed_through: Option<NaiveDate>,
        sequence: u64,
    ) -> Book {
        Book {
            order: accounts.keys().cloned().collect(),
            accounts,
            holds,
            closed_through,
            sequence,
            ..Book::default()
        }
    }

    /// The account at an address.
    pub fn account(&self, address: &Address) -> Option<&Account> {
        self.accounts.get(address)
    }

    /// All accounts in the order of their addresses, from the first one after `after`.
    pub fn accounts_after<'a>(&'a self, after: Option<&str>) -> impl Iterator<Item = (&'a Address, &'a Account)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let start = after.map_or(Unbounded, Excluded);
        self.order
            .range::<str, _>((start, Unbounded))
            .filter_map(|address| self.accounts.get_key_value(address))
    }

    /// All accounts in the order of their addresses.
    pub fn accounts(&self) -> impl Iterator<Item = (&Address, &Account)> {
        self.accounts_after(None)
    }

    /// How many accounts there are.
    pub fn account_count(&self) -> usize {
        self.accounts.len()
    }

    /// An open hold.
    pub fn hold(&self, id: Uuid) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// All open holds in the order of their ids.
    pub fn holds(&self) -> &BTreeMap<Uuid, Hold> {
        &self.holds
    }

    /// The last day of the closed period, if one was ever closed.
    pub fn closed_through(&self) -> Option<NaiveDate> {
        self.closed_through
    }

    /// How many events of the book's stream are part of this state.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Starts to remember what changes. Until [`Book::forget`], every state since can be returned to.
    pub fn savepoint(&mut self) -> Savepoint {
        self.recording = true;
        Savepoint {
            undo: self.undo.len(),
            sequence: self.sequence,
        }
    }

    /// Returns to a savepoint.
    pub fn rollback(&mut self, savepoint: Savepoint) {
        for undo in self.undo.drain(savepoint.undo.min(self.undo.len())..).rev() {
            match undo {
                Undo::Account(address, Some(account)) => {
                    self.accounts.insert(address, account);
                }
                Undo::Account(address, None) => {
                    self.order.remove(&address);
                    self.accounts.remove(&address);
                }
                Undo::Hold(id, Some(hold)) => {
                    self.holds.insert(id, hold);
                }
                Undo::Hold(id, None) => {
                    self.holds.remove(&id);
                }
                Undo::ClosedThrough(date) => self.closed_through = date,
            }
        }
        self.sequence = savepoint.sequence;
    }

    /// Keeps everything that changed; earlier savepoints are void.
    pub fn forget(&mut self) {
        self.undo.clear();
        self.recording = false;
    }
}
