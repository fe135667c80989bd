//! What transactions make of accounts: one row for each account that a posting touches.

use super::apply::Wallets;
use super::place::{Place, account_id, leg_id};
use super::table::{AccountRow, TransactionRow};
use crate::fact::{Event, Problem};
use crate::sums::{add, subtract};
use uuid::Uuid;
use viral_domain::Vcoin;
use viral_ledger::{Address, Asset, NormalSide, Posting, Transaction};

/// One side of a posting, on an account that has a row.
struct Leg<'a> {
    account: &'a Address,
    side: NormalSide,
    /// Which posting of its transaction.
    posting: usize,
    amount: Vcoin,
}

fn legs(postings: &[Posting]) -> impl Iterator<Item = Leg<'_>> {
    let vcoin = postings
        .iter()
        .enumerate()
        .filter(|(_, posting)| posting.asset == Asset::VCOIN);
    let both = vcoin.flat_map(|(posting, movement)| {
        [
            (&movement.debit, NormalSide::Debit),
            (&movement.credit, NormalSide::Credit),
        ]
        .map(|(account, side)| Leg {
            account,
            side,
            posting,
            amount: Vcoin(movement.amount),
        })
    });
    both.filter(|leg| Place::of(leg.account).is_some())
}

impl Wallets {
    pub(super) fn touch_transaction(&mut self, transaction: &Transaction) {
        for leg in legs(&transaction.postings) {
            self.accounts.want(account_id(leg.account));
            if let Some(original) = transaction.reverses {
                self.transactions.want(leg_id(original, leg.account, leg.posting));
            }
        }
        if let Some(hold) = transaction.captures {
            self.touch_hold(hold);
        }
    }

    pub(super) fn post(&mut self, event: &Event, transaction: &Transaction) -> Result<(), Problem> {
        if let Some(hold) = transaction.captures {
            self.resolve_hold(event, hold, "captured")?;
        }
        for leg in legs(&transaction.postings) {
            let account = self.accounts.change(account_id(leg.account))?;
            if leg.side == account.normal_side {
                add(&mut account.balance_vcoin, leg.amount)?;
            } else {
                subtract(&mut account.balance_vcoin, leg.amount)?;
            }
            let row = row(event, transaction, &leg, account)?;
            self.transactions.add(row)?;
        }
        match transaction.reverses {
            Some(original) => self.mark_reversed(original, &transaction.postings),
            None => Ok(()),
        }
    }

    /// A reversal has the postings of its original in the same order, each the other way round.
    fn mark_reversed(&mut self, original: Uuid, mirrored: &[Posting]) -> Result<(), Problem> {
        for leg in legs(mirrored) {
            let row = self.transactions.change(leg_id(original, leg.account, leg.posting))?;
            row.status = "reversed".to_owned();
        }
        Ok(())
    }
}

fn row(
    event: &Event,
    transaction: &Transaction,
    leg: &Leg<'_>,
    account: &AccountRow,
) -> Result<TransactionRow, Problem> {
    let mut amount = leg.amount;
    if leg.side != account.normal_side {
        amount = Vcoin::ZERO;
        subtract(&mut amount, leg.amount)?;
    }
    let reference = transaction.reference.as_ref();
    Ok(TransactionRow {
        id: leg_id(event.id, leg.account, leg.posting),
        account_id: account.id,
        code: transaction.code.as_str().to_owned(),
        amount_vcoin: amount,
        reference_type: reference.map(|reference| reference.kind.clone()),
        reference_id: reference.map(|reference| reference.id.clone()),
        status: "posted".to_owned(),
        metadata: transaction.metadata.clone(),
        user_id: account.user_id,
        transaction_id: event.id,
        posting: u32::try_from(leg.posting).map_err(|_| Problem("there are too many postings".to_owned()))?,
        balance_after: account.balance_vcoin,
        effective_at: transaction.effective_at,
        posted_at: event.recorded_at,
        posted_position: event.position.0,
        position: 0,
    })
}
