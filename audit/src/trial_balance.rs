//! The trial balance at a moment, of everything or of what had taken effect by then.

use crate::as_of::{AsOf, Cutoff};
use crate::decode;
use crate::error::AuditError;
use crate::progress::Progress;
use crate::replay::{Replay, each_event, replay};
use std::collections::BTreeMap;
use std::sync::Arc;
use viral_ledger::trial_balance::Row;
use viral_ledger::{Account, Address, Amount, BookEvent, Transaction, TrialBalance};
use viral_store::{EventStore, Position, StoredEvent};

/// The trial balance of the log up to `as_of`. With a cut-off only transactions that take effect at or before it count;
/// all accounts that were open by `as_of` are listed all the same.
pub async fn trial_balance(
    store: &Arc<dyn EventStore>,
    as_of: AsOf,
    effective: Option<Cutoff>,
    progress: &dyn Progress,
) -> Result<TrialBalance, AuditError> {
    let Some(cutoff) = effective else {
        let Replay { position, accounts, .. } = replay(store, as_of, progress).await?;
        return Ok(TrialBalance { position, accounts });
    };
    let up_to = as_of.resolve(store.as_ref()).await?;
    let mut sums = Sums::default();
    each_event(store, up_to, progress, |event| sums.add(event, cutoff)).await?;
    Ok(sums.into_trial_balance(up_to))
}

/// Plain sums of debits and credits. A book could not take in a part of the transactions: a wallet may well be below
/// zero by effective dates though it never was when they were decided.
#[derive(Default)]
struct Sums {
    accounts: BTreeMap<Address, Account>,
}

impl Sums {
    fn add(&mut self, event: &StoredEvent, cutoff: Cutoff) -> Result<(), AuditError> {
        let broken = |problem: String| AuditError::broken(event.position, problem);
        match decode::book(event)? {
            Some(BookEvent::AccountOpened(opened)) => {
                let account = Account::new(opened.asset, opened.normal_side, opened.may_go_negative);
                self.accounts.insert(opened.account, account);
            }
            Some(BookEvent::TransactionPosted(transaction)) if transaction.effective_at <= cutoff.0 => {
                self.add_transaction(&transaction).map_err(broken)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn add_transaction(&mut self, transaction: &Transaction) -> Result<(), String> {
        for posting in &transaction.postings {
            let debits = &mut account(&mut self.accounts, &posting.debit)?.debits;
            *debits = sum(*debits, posting.amount, &posting.debit)?;
            let credits = &mut account(&mut self.accounts, &posting.credit)?.credits;
            *credits = sum(*credits, posting.amount, &posting.credit)?;
        }
        Ok(())
    }

    fn into_trial_balance(self, position: Position) -> TrialBalance {
        TrialBalance {
            position: position.to_string(),
            accounts: self
                .accounts
                .iter()
                .map(|(address, account)| Row::new(address, account))
                .collect(),
        }
    }
}

fn account<'a>(accounts: &'a mut BTreeMap<Address, Account>, address: &Address) -> Result<&'a mut Account, String> {
    accounts
        .get_mut(address)
        .ok_or_else(|| format!("unknown account {address}"))
}

fn sum(before: Amount, amount: Amount, address: &Address) -> Result<Amount, String> {
    before
        .checked_add(amount)
        .ok_or_else(|| format!("the totals of {address} leave the bounds of ±10^24 minor units"))
}
