//! From an event to the next state, with everything checked again that must hold of money and order.

use super::{Book, Hold, Undo, Violation};
use crate::account::{Account, Flags};
use crate::address::Address;
use crate::amount::Amount;
use crate::effects::Change;
use crate::event::BookEvent;
use crate::refusal::Refusal;
use crate::timestamp;
use crate::transaction::{Code, Transaction};
use chrono::{DateTime, Utc};
use uuid::Uuid;

impl Book {
    /// Applies an event that was recorded at `recorded_at`, which is cut to microseconds as [`Book::decide`] does.
    /// Whatever must hold of money and order is checked again: an event that no sound book could have produced, under
    /// whatever rules of input, is a [`Violation`], and the state is as before.
    pub fn evolve(&mut self, recorded_at: DateTime<Utc>, event: &BookEvent) -> Result<(), Violation> {
        let recorded_at = timestamp::truncate(recorded_at);
        self.check_possible(recorded_at, event)?;
        let changes = self.check(recorded_at, event)?;
        match event {
            BookEvent::AccountOpened(opened) => {
                let account = Account::new(opened.asset, opened.normal_side, opened.may_go_negative);
                self.put_account(&opened.account, account);
            }
            BookEvent::AccountFrozen(changed) => self.update_flags(&changed.account, |flags| flags.frozen = true),
            BookEvent::AccountUnfrozen(changed) => self.update_flags(&changed.account, |flags| flags.frozen = false),
            BookEvent::AccountClosed(changed) => self.update_flags(&changed.account, |flags| flags.closed = true),
            BookEvent::TransactionPosted(transaction) => {
                if let Some(hold) = transaction.captures {
                    self.release(hold)?;
                }
                for change in changes {
                    self.apply_change(change)?;
                }
            }
            BookEvent::HoldPlaced(placed) => {
                self.add_held(&placed.account, placed.amount)?;
                let hold = Hold {
                    account: placed.account.clone(),
                    amount: placed.amount,
                    expires_at: placed.expires_at,
                };
                self.put_hold(placed.hold, Some(hold));
            }
            BookEvent::HoldVoided(released) | BookEvent::HoldExpired(released) => self.release(released.hold)?,
            BookEvent::PeriodClosed(closed) => {
                self.remember(|book| Undo::ClosedThrough(book.closed_through));
                self.closed_through = Some(closed.through);
            }
            BookEvent::SnapshotTaken(_) => {}
        }
        self.sequence += 1;
        Ok(())
    }

    /// As [`Book::evolve`], but believes the hash in a snapshot event: for events that this very book has just decided.
    pub fn evolve_trusted(&mut self, recorded_at: DateTime<Utc>, event: &BookEvent) -> Result<(), Violation> {
        if matches!(event, BookEvent::SnapshotTaken(_)) {
            self.sequence += 1;
            return Ok(());
        }
        self.evolve(recorded_at, event)
    }

    /// Checks what no command could make otherwise, whatever the state allows.
    fn check_possible(&self, recorded_at: DateTime<Utc>, event: &BookEvent) -> Result<(), Violation> {
        match event {
            BookEvent::TransactionPosted(transaction) => check_kind(recorded_at, transaction),
            BookEvent::HoldPlaced(placed) if self.holds.contains_key(&placed.hold) => Err(Violation::Contradiction(
                format!("hold {} is open already", placed.hold),
            )),
            BookEvent::SnapshotTaken(snapshot) => {
                let (actual, recorded) = (self.state_hash(), &snapshot.state_hash);
                if actual == *recorded {
                    return Ok(());
                }
                Err(Violation::Contradiction(format!(
                    "the snapshot says the state's hash is {recorded}, the events give {actual}"
                )))
            }
            _ => Ok(()),
        }
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
        self.remember(|_| Undo::Account(address.clone(), before));
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

/// Checks what no command could make otherwise: only a reversal says what it reverses, and what captures or reverses does
/// one of them, now.
fn check_kind(recorded_at: DateTime<Utc>, transaction: &Transaction) -> Result<(), Violation> {
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
    let what = match (transaction.captures, transaction.reverses) {
        (Some(_), Some(_)) => {
            let problem = "it both captures a hold and reverses a transaction";
            return Err(Violation::Contradiction(problem.to_owned()));
        }
        (Some(_), None) => "a capture",
        (None, Some(_)) => "a reversal",
        (None, None) => return Ok(()),
    };
    if transaction.effective_at != recorded_at {
        return Err(Violation::Contradiction(format!(
            "{what} takes effect at {}, not when it was recorded, at {}",
            timestamp::to_text(&transaction.effective_at),
            timestamp::to_text(&recorded_at),
        )));
    }
    Ok(())
}
