//! What the state allows; decisions and replays share these checks.

use super::{Book, Hold};
use crate::account::Account;
use crate::address::Address;
use crate::amount::Amount;
use crate::effects;
use crate::event::HoldPlaced;
use crate::refusal::Refusal;
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use uuid::Uuid;

impl Book {
    pub(crate) fn existing(&self, address: &Address) -> Result<&Account, Refusal> {
        self.accounts
            .get(address)
            .ok_or_else(|| Refusal::UnknownAccount(address.clone()))
    }

    pub(super) fn check_absent(&self, address: &Address) -> Result<(), Refusal> {
        if self.accounts.contains_key(address) {
            return Err(Refusal::AccountExists(address.clone()));
        }
        Ok(())
    }

    pub(super) fn check_frozen(&self, address: &Address) -> Result<(), Refusal> {
        let account = self.existing(address)?;
        if account.flags.closed {
            return Err(Refusal::AccountClosed(address.clone()));
        }
        if !account.flags.frozen {
            return Err(Refusal::AccountNotFrozen(address.clone()));
        }
        Ok(())
    }

    pub(super) fn check_closable(&self, address: &Address) -> Result<(), Refusal> {
        let account = self.existing(address)?;
        effects::check_usable(address, account)?;
        if account.balance() != 0 || account.held != Amount::ZERO {
            return Err(Refusal::AccountNotEmpty(address.clone()));
        }
        Ok(())
    }

    pub(super) fn check_holdable(&self, placed: &HoldPlaced, now: DateTime<Utc>) -> Result<(), Refusal> {
        let (address, amount, asset) = (&placed.account, placed.amount, placed.asset);
        effects::check_reference(placed.reference.as_ref())?;
        if placed.expires_at.is_some_and(|at| at.year() > 9999) {
            return Err(effects::unprintable("expires_at"));
        }
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

    pub(super) fn check_expired(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), Refusal> {
        match self.open_hold(id)?.expires_at {
            Some(at) if at <= now => Ok(()),
            _ => Err(Refusal::HoldNotExpired(id)),
        }
    }

    pub(super) fn check_closing(&self, through: NaiveDate, now: DateTime<Utc>) -> Result<(), Refusal> {
        if through.year() < 1900 {
            return Err(effects::unprintable("through"));
        }
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

pub(super) fn check_not_expired(id: Uuid, hold: &Hold, now: DateTime<Utc>) -> Result<(), Refusal> {
    match hold.expires_at {
        Some(expires_at) if expires_at <= now => Err(Refusal::HoldExpired { hold: id, expires_at }),
        _ => Ok(()),
    }
}
