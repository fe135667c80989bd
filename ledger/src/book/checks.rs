//! What the state allows: what must hold of money and order. Decisions and replays share these checks, so none of them may
//! ever be tightened; rules of input are in `input.rs`.

use super::{Book, Hold};
use crate::account::Account;
use crate::address::Address;
use crate::amount::Amount;
use crate::effects::{self, Change};
use crate::event::{BookEvent, HoldPlaced};
use crate::refusal::Refusal;
use crate::transaction::Transaction;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

impl Book {
    /// Whether the state allows an event at a time, and what a transaction would change.
    pub(super) fn check(&self, at: DateTime<Utc>, event: &BookEvent) -> Result<Vec<Change>, Refusal> {
        match event {
            BookEvent::AccountOpened(opened) => self.check_absent(&opened.account)?,
            BookEvent::AccountFrozen(changed) => {
                effects::check_usable(&changed.account, self.existing(&changed.account)?)?;
            }
            BookEvent::AccountUnfrozen(changed) => self.check_frozen(&changed.account)?,
            BookEvent::AccountClosed(changed) => self.check_closable(&changed.account)?,
            BookEvent::TransactionPosted(transaction) => return self.check_transaction(at, transaction),
            BookEvent::HoldPlaced(placed) => self.check_holdable(placed, at)?,
            BookEvent::HoldVoided(released) => self.open_hold(released.hold).map(drop)?,
            BookEvent::HoldExpired(released) => self.check_expired(released.hold, at)?,
            BookEvent::PeriodClosed(closed) => self.check_closing(closed.through, at)?,
            BookEvent::SnapshotTaken(_) => {}
        }
        Ok(Vec::new())
    }

    fn check_transaction(&self, at: DateTime<Utc>, transaction: &Transaction) -> Result<Vec<Change>, Refusal> {
        let captured = match transaction.captures {
            Some(id) => {
                let hold = self.open_hold(id)?;
                check_not_expired(id, hold, at)?;
                Some(hold)
            }
            None => None,
        };
        effects::of_transaction(self, &transaction.postings, transaction.effective_at, captured)
    }

    pub(crate) fn existing(&self, address: &Address) -> Result<&Account, Refusal> {
        self.accounts
            .get(address)
            .ok_or_else(|| Refusal::UnknownAccount(address.clone()))
    }

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

    fn check_holdable(&self, placed: &HoldPlaced, now: DateTime<Utc>) -> Result<(), Refusal> {
        let (address, amount, asset) = (&placed.account, placed.amount, placed.asset);
        if !amount.is_positive() {
            let place = "the hold".to_owned();
            return Err(Refusal::AmountNotPositive { place });
        }
        if let Some(at) = placed.expires_at.filter(|at| *at <= now) {
            return Err(Refusal::ExpiryInPast(at));
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

    pub(super) fn open_hold(&self, id: Uuid) -> Result<&Hold, Refusal> {
        self.holds.get(&id).ok_or(Refusal::UnknownHold(id))
    }
}

fn check_not_expired(id: Uuid, hold: &Hold, now: DateTime<Utc>) -> Result<(), Refusal> {
    match hold.expires_at {
        Some(expires_at) if expires_at <= now => Err(Refusal::HoldExpired { hold: id, expires_at }),
        _ => Ok(()),
    }
}
