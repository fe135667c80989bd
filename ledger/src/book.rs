//! The book: the state of all accounts and open holds, and the two functions that every change goes through.

use crate::account::{Account, Flags, NormalSide};
use crate::address::Address;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::command::Command;
use crate::effects::{self, Change};
use crate::event::{AccountChanged, AccountOpened, BookEvent, HoldPlaced, HoldReleased, PeriodClosed, SnapshotTaken};
use crate::refusal::Refusal;
use crate::timestamp;
use crate::transaction::{Code, NewTransaction, Posting, Reference, Transaction};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
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
    /// The book would have refused it.
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
    Account(Address, Option<Box<Account>>),
    Hold(Uuid, Option<Hold>),
    ClosedThrough(Option<NaiveDate>),
}

/// A state of the book that [`Book::rollback`] can return to.
#[derive(Debug, Clone, Copy)]
pub struct Savepoint {
    undo: usize,
    sequence: u64,
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

    /// Says which event carries out a command, or why it is refused. `id` will be the event's id, `now` its time.
    /// Times are cut to the microseconds that the log keeps.
    pub fn decide(&self, id: Uuid, now: DateTime<Utc>, command: &Command) -> Decision {
        let now = timestamp::truncate(now);
        match command {
            Command::OpenAccount {
                account,
                asset,
                normal_side,
                may_go_negative,
            } => self.open_account(account, *asset, *normal_side, *may_go_negative),
            Command::FreezeAccount { account, reason } => {
                effects::check_remark("reason", reason.as_ref())?;
                effects::check_usable(account, self.existing(account)?)?;
                Ok(BookEvent::AccountFrozen(changed(account, reason)))
            }
            Command::UnfreezeAccount { account, reason } => {
                effects::check_remark("reason", reason.as_ref())?;
                self.check_frozen(account)?;
                Ok(BookEvent::AccountUnfrozen(changed(account, reason)))
            }
            Command::CloseAccount { account, reason } => {
                effects::check_remark("reason", reason.as_ref())?;
                self.check_closable(account)?;
                Ok(BookEvent::AccountClosed(changed(account, reason)))
            }
            Command::Post(transaction) => self.post(now, transaction),
            Command::Reverse {
                original,
                postings,
                is_reversal,
                reason,
            } => self.reverse(now, *original, postings, *is_reversal, reason),
            Command::PlaceHold {
                account,
                amount,
                asset,
                expires_at,
                reference,
            } => self.place_hold(id, now, account, *amount, *asset, *expires_at, reference),
            Command::Capture { hold, transaction } => self.capture(now, *hold, transaction),
            Command::VoidHold { hold, reason } => {
                effects::check_remark("reason", reason.as_ref())?;
                self.open_hold(*hold)?;
                Ok(BookEvent::HoldVoided(released(*hold, reason.clone())))
            }
            Command::ExpireHold { hold } => {
                self.check_expired(*hold, now)?;
                Ok(BookEvent::HoldExpired(released(*hold, None)))
            }
            Command::ClosePeriod { through } => {
                if through.year() < 1900 {
                    return Err(effects::unprintable("through"));
                }
                self.check_closing(*through, now)?;
                Ok(BookEvent::PeriodClosed(PeriodClosed { through: *through }))
            }
            Command::TakeSnapshot { position } => Ok(BookEvent::SnapshotTaken(SnapshotTaken {
                position: *position,
                state_hash: self.state_hash(),
            })),
        }
    }

    /// Applies an event that was recorded at `recorded_at`. Every check is made again: an event that a sound book could
    /// not have produced is a [`Violation`], and the state is as before.
    pub fn evolve(&mut self, recorded_at: DateTime<Utc>, event: &BookEvent) -> Result<(), Violation> {
        match event {
            BookEvent::AccountOpened(opened) => {
                self.check_absent(&opened.account)?;
                let account = Account::new(opened.asset, opened.normal_side, opened.may_go_negative);
                self.put_account(&opened.account, account);
            }
            BookEvent::AccountFrozen(changed) => {
                effects::check_usable(&changed.account, self.existing(&changed.account)?)?;
                self.update_flags(&changed.account, |flags| flags.frozen = true);
            }
            BookEvent::AccountUnfrozen(changed) => {
                self.check_frozen(&changed.account)?;
                self.update_flags(&changed.account, |flags| flags.frozen = false);
            }
            BookEvent::AccountClosed(changed) => {
                self.check_closable(&changed.account)?;
                self.update_flags(&changed.account, |flags| flags.closed = true);
            }
            BookEvent::TransactionPosted(transaction) => self.apply_transaction(recorded_at, transaction)?,
            BookEvent::HoldPlaced(placed) => {
                self.check_holdable(&placed.account, placed.amount, placed.asset)?;
                if self.holds.contains_key(&placed.hold) {
                    return Err(Violation::Contradiction(format!(
                        "hold {} is open already",
                        placed.hold
                    )));
                }
                self.add_held(&placed.account, placed.amount)?;
                let hold = Hold {
                    account: placed.account.clone(),
                    amount: placed.amount,
                    expires_at: placed.expires_at,
                };
                self.put_hold(placed.hold, Some(hold));
            }
            BookEvent::HoldVoided(released) => self.release(released.hold)?,
            BookEvent::HoldExpired(released) => {
                self.check_expired(released.hold, recorded_at)?;
                self.release(released.hold)?;
            }
            BookEvent::PeriodClosed(closed) => {
                self.check_closing(closed.through, recorded_at)?;
                self.remember(|book| Undo::ClosedThrough(book.closed_through));
                self.closed_through = Some(closed.through);
            }
            BookEvent::SnapshotTaken(snapshot) => {
                let actual = self.state_hash();
                if actual != snapshot.state_hash {
                    let recorded = &snapshot.state_hash;
                    return Err(Violation::Contradiction(format!(
                        "the snapshot says the state's hash is {recorded}, the events give {actual}"
                    )));
                }
            }
        }
        self.sequence += 1;
        Ok(())
    }

    /// As [`Book::evolve`], but believes the hash in a snapshot event: for events this very book has decided, and for
    /// catching up on what another writer of the same log has decided.
    pub fn evolve_trusted(&mut self, recorded_at: DateTime<Utc>, event: &BookEvent) -> Result<(), Violation> {
        if matches!(event, BookEvent::SnapshotTaken(_)) {
            self.sequence += 1;
            return Ok(());
        }
        self.evolve(recorded_at, event)
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
        for undo in self.undo.drain(savepoint.undo..).rev() {
            match undo {
                Undo::Account(address, Some(account)) => {
                    self.accounts.insert(address, *account);
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

    pub(crate) fn existing(&self, address: &Address) -> Result<&Account, Refusal> {
        self.accounts
            .get(address)
            .ok_or_else(|| Refusal::UnknownAccount(address.clone()))
    }

    // Decisions.

    fn open_account(
        &self,
        address: &Address,
        asset: Asset,
        normal_side: NormalSide,
        may_go_negative: bool,
    ) -> Decision {
        self.check_absent(address)?;
        Ok(BookEvent::AccountOpened(AccountOpened {
            account: address.clone(),
            asset,
            may_go_negative,
            normal_side,
        }))
    }

    fn post(&self, now: DateTime<Utc>, new: &NewTransaction) -> Decision {
        let effective_at = new.effective_at.map_or(now, timestamp::truncate);
        check_new_transaction(new, effective_at)?;
        effects::of_transaction(self, &new.postings, effective_at, None)?;
        Ok(BookEvent::TransactionPosted(posted(new, effective_at, None)))
    }

    fn capture(&self, now: DateTime<Utc>, id: Uuid, new: &NewTransaction) -> Decision {
        check_new_transaction(new, now)?;
        let hold = self.open_hold(id)?;
        check_not_expired(id, hold, now)?;
        effects::of_transaction(self, &new.postings, now, Some(hold))?;
        Ok(BookEvent::TransactionPosted(posted(new, now, Some(id))))
    }

    fn reverse(
        &self,
        now: DateTime<Utc>,
        original: Uuid,
        postings: &[Posting],
        is_reversal: bool,
        reason: &Option<String>,
    ) -> Decision {
        effects::check_count(postings)?;
        effects::check_remark("reason", reason.as_ref())?;
        effects::check_postings(postings, now)?;
        if is_reversal {
            return Err(Refusal::ReversalOfReversal(original));
        }
        let mirrored: Vec<Posting> = postings
            .iter()
            .map(|posting| Posting {
                debit: posting.credit.clone(),
                credit: posting.debit.clone(),
                ..posting.clone()
            })
            .collect();
        effects::of_transaction(self, &mirrored, now, None)?;
        Ok(BookEvent::TransactionPosted(Transaction {
            captures: None,
            code: Code::REVERSAL,
            description: reason.clone(),
            effective_at: now,
            metadata: BTreeMap::new(),
            postings: mirrored,
            reference: None,
            reverses: Some(original),
        }))
    }

    #[allow(clippy::too_many_arguments)] // the fields of one command
    fn place_hold(
        &self,
        id: Uuid,
        now: DateTime<Utc>,
        address: &Address,
        amount: Amount,
        asset: Asset,
        expires_at: Option<DateTime<Utc>>,
        reference: &Option<Reference>,
    ) -> Decision {
        effects::check_reference(reference.as_ref())?;
        let expires_at = expires_at.map(timestamp::truncate);
        if expires_at.is_some_and(|at| at.year() > 9999) {
            return Err(effects::unprintable("expires_at"));
        }
        if !amount.is_positive() {
            let place = "the hold".to_owned();
            return Err(Refusal::AmountNotPositive { place });
        }
        if let Some(at) = expires_at.filter(|at| *at <= now) {
            return Err(Refusal::ExpiryInPast(at));
        }
        self.check_holdable(address, amount, asset)?;
        Ok(BookEvent::HoldPlaced(HoldPlaced {
            hold: id,
            account: address.clone(),
            amount,
            asset,
            expires_at,
            reference: reference.clone(),
        }))
    }

    // Checks that decisions and replays share.

    fn check_absent(&self, address: &Address) -> Result<(), Refusal> {
        if self.accounts.contains_key(address) {
            return Err(Refusal::AccountExists(address.clone()));
        }
        Ok(())
    }

    fn check_frozen(&self, address: &Address) -> Result<(), Refusal> {
        let account = self.existing(address)?;
        if account.flags.closed {
            return Err(Refusal::AccountClosed(address.clone()));
        }
        if !account.flags.frozen {
            return Err(Refusal::AccountNotFrozen(address.clone()));
        }
        Ok(())
    }

    fn check_closable(&self, address: &Address) -> Result<(), Refusal> {
        let account = self.existing(address)?;
        effects::check_usable(address, account)?;
        if account.balance() != 0 || account.held != Amount::ZERO {
            return Err(Refusal::AccountNotEmpty(address.clone()));
        }
        Ok(())
    }

    fn check_holdable(&self, address: &Address, amount: Amount, asset: Asset) -> Result<(), Refusal> {
        if !amount.is_positive() {
            let place = "the hold".to_owned();
            return Err(Refusal::AmountNotPositive { place });
        }
        let account = self.existing(address)?;
        if account.asset != asset {
            return Err(Refusal::AssetMismatch {
                place: "the hold".to_owned(),
                account: address.clone(),
                expected: account.asset,
                asset,
            });
        }
        effects::check_usable(address, account)?;
        if account.held.checked_add(amount).is_none() {
            return Err(Refusal::Overflow(address.clone()));
        }
        if !account.flags.may_go_negative && account.available() < amount.minor() {
            return Err(effects::insufficient(
                address,
                account,
                account.available(),
                amount.minor(),
            ));
        }
        Ok(())
    }

    fn check_expired(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.open_hold(id)?.expires_at {
            Some(at) if at <= now => Ok(()),
            _ => Err(Refusal::HoldNotExpired(id)),
        }
    }

    fn check_closing(&self, through: NaiveDate, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.closed_through {
            Some(closed) if through <= closed => Err(Refusal::PeriodNotForward(closed)),
            _ if through >= now.date_naive() => Err(Refusal::PeriodNotOver(through)),
            _ => Ok(()),
        }
    }

    fn open_hold(&self, id: Uuid) -> Result<&Hold, Refusal> {
        self.holds.get(&id).ok_or(Refusal::UnknownHold(id))
    }

    // Changes.

    fn apply_transaction(&mut self, recorded_at: DateTime<Utc>, transaction: &Transaction) -> Result<(), Violation> {
        effects::check_count(&transaction.postings)?;
        effects::check_postings(&transaction.postings, transaction.effective_at)?;
        if (transaction.code == Code::REVERSAL) != transaction.reverses.is_some() {
            return Err(Violation::Contradiction(format!(
                "the code is {}, but it {} what it reverses",
                transaction.code,
                if transaction.reverses.is_some() {
                    "says"
                } else {
                    "does not say"
                },
            )));
        }
        let hold = match transaction.captures {
            Some(id) => {
                let hold = self.open_hold(id)?;
                check_not_expired(id, hold, recorded_at)?;
                Some((id, hold.clone()))
            }
            None => None,
        };
        let captured = hold.as_ref().map(|(_, hold)| hold);
        let changes = effects::of_transaction(self, &transaction.postings, transaction.effective_at, captured)?;
        if let Some((id, _)) = hold {
            self.release(id)?;
        }
        for change in changes {
            self.apply_change(change)?;
        }
        Ok(())
    }

    fn apply_change(&mut self, change: Change) -> Result<(), Violation> {
        // The bounds were checked with the effects.
        let account = self.existing(&change.address)?;
        let mut after = account.clone();
        let bounded = |minor| Amount::from_minor(minor).map_err(|_| Refusal::Overflow(change.address.clone()));
        after.debits = bounded(account.debits.minor() + change.debits)?;
        after.credits = bounded(account.credits.minor() + change.credits)?;
        self.put_account(&change.address, after);
        Ok(())
    }

    fn release(&mut self, id: Uuid) -> Result<(), Violation> {
        let hold = self.open_hold(id)?.clone();
        let account = self.existing(&hold.account)?;
        let Some(held) = account.held.checked_sub(hold.amount) else {
            return Err(Refusal::Overflow(hold.account).into());
        };
        let after = Account {
            held,
            ..account.clone()
        };
        self.put_account(&hold.account, after);
        self.put_hold(id, None);
        Ok(())
    }

    fn add_held(&mut self, address: &Address, amount: Amount) -> Result<(), Violation> {
        let account = self.existing(address)?;
        let Some(held) = account.held.checked_add(amount) else {
            return Err(Refusal::Overflow(address.clone()).into());
        };
        let after = Account {
            held,
            ..account.clone()
        };
        self.put_account(address, after);
        Ok(())
    }

    fn update_flags(&mut self, address: &Address, update: impl FnOnce(&mut Flags)) {
        if let Some(account) = self.accounts.get(address) {
            let mut after = account.clone();
            update(&mut after.flags);
            self.put_account(address, after);
        }
    }

    fn put_account(&mut self, address: &Address, after: Account) {
        let before = match self.accounts.get_mut(address) {
            Some(account) => Some(std::mem::replace(account, after)),
            None => {
                self.order.insert(address.clone());
                self.accounts.insert(address.clone(), after)
            }
        };
        self.remember(|_| Undo::Account(address.clone(), before.map(Box::new)));
    }

    fn put_hold(&mut self, id: Uuid, after: Option<Hold>) {
        let before = match after {
            Some(hold) => self.holds.insert(id, hold),
            None => self.holds.remove(&id),
        };
        self.remember(|_| Undo::Hold(id, before));
    }

    fn remember(&mut self, undo: impl FnOnce(&Book) -> Undo) {
        if self.recording {
            let undo = undo(self);
            self.undo.push(undo);
        }
    }
}

fn check_not_expired(id: Uuid, hold: &Hold, now: DateTime<Utc>) -> Result<(), Refusal> {
    match hold.expires_at {
        Some(expires_at) if expires_at <= now => Err(Refusal::HoldExpired { hold: id, expires_at }),
        _ => Ok(()),
    }
}

fn check_new_transaction(new: &NewTransaction, effective_at: DateTime<Utc>) -> Result<(), Refusal> {
    effects::check_count(&new.postings)?;
    if new.code == Code::REVERSAL {
        return Err(Refusal::ReservedCode(new.code.to_string()));
    }
    effects::check_remark("description", new.description.as_ref())?;
    effects::check_reference(new.reference.as_ref())?;
    effects::check_metadata(&new.metadata)?;
    effects::check_postings(&new.postings, effective_at)
}

fn posted(new: &NewTransaction, effective_at: DateTime<Utc>, captures: Option<Uuid>) -> Transaction {
    Transaction {
        captures,
        code: new.code.clone(),
        description: new.description.clone(),
        effective_at,
        metadata: new.metadata.clone(),
        postings: new.postings.clone(),
        reference: new.reference.clone(),
        reverses: None,
    }
}

fn changed(account: &Address, reason: &Option<String>) -> AccountChanged {
    AccountChanged {
        account: account.clone(),
        reason: reason.clone(),
    }
}

fn released(hold: Uuid, reason: Option<String>) -> HoldReleased {
    HoldReleased { hold, reason }
}

#[cfg(test)]
mod tests;
