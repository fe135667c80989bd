//! From a command to the event that carries it out, or to the first refusal.

use super::{Book, Decision, check_not_expired};
use crate::account::NormalSide;
use crate::address::Address;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::command::Command;
use crate::effects;
use crate::event::{AccountChanged, AccountOpened, BookEvent, HoldPlaced, HoldReleased, PeriodClosed, SnapshotTaken};
use crate::refusal::Refusal;
use crate::timestamp;
use crate::transaction::{Code, NewTransaction, Posting, Reference, Transaction};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

impl Book {
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
                self.check_closing(*through, now)?;
                Ok(BookEvent::PeriodClosed(PeriodClosed { through: *through }))
            }
            Command::TakeSnapshot { position } => Ok(BookEvent::SnapshotTaken(SnapshotTaken {
                position: *position,
                state_hash: self.state_hash(),
            })),
        }
    }

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
        let placed = HoldPlaced {
            hold: id,
            account: address.clone(),
            amount,
            asset,
            expires_at: expires_at.map(timestamp::truncate),
            reference: reference.clone(),
        };
        self.check_holdable(&placed, now)?;
        Ok(BookEvent::HoldPlaced(placed))
    }
}

fn check_new_transaction(new: &NewTransaction, effective_at: DateTime<Utc>) -> Result<(), Refusal> {
    effects::check_count(&new.postings)?;
    if new.code == Code::REVERSAL {
        return Err(Refusal::ReservedCode(new.code.to_string()));
    }
    effects::check_texts(new.description.as_ref(), new.reference.as_ref(), &new.metadata)?;
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
