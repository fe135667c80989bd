//! From a command to the event that carries it out, or to the first refusal.

use super::{Book, Decision};
use crate::address::Address;
use crate::command::Command;
use crate::event::{AccountChanged, AccountOpened, BookEvent, HoldPlaced, HoldReleased, PeriodClosed, SnapshotTaken};
use crate::input;
use crate::timestamp;
use crate::transaction::{Code, NewTransaction, Posting, Transaction};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

impl Book {
    /// Says which event carries out a command, or why it is refused. `id` will be the event's id, `now` its time.
    /// Times are cut to the microseconds that the log keeps.
    pub fn decide(&self, id: Uuid, now: DateTime<Utc>, command: &Command) -> Decision {
        let now = timestamp::truncate(now);
        input::check(now, command)?;
        let event = self.carry_out(id, now, command);
        self.check(now, &event)?;
        Ok(event)
    }

    /// The event that carries out a command, whether or not it is allowed: who checks what was done long ago compares with
    /// this, without asking the rules that hold today.
    pub fn carry_out(&self, id: Uuid, now: DateTime<Utc>, command: &Command) -> BookEvent {
        let now = timestamp::truncate(now);
        match command {
            Command::OpenAccount {
                account,
                asset,
                normal_side,
                may_go_negative,
            } => BookEvent::AccountOpened(AccountOpened {
                account: account.clone(),
                asset: *asset,
                may_go_negative: *may_go_negative,
                normal_side: *normal_side,
            }),
            Command::FreezeAccount { account, reason } => BookEvent::AccountFrozen(changed(account, reason)),
            Command::UnfreezeAccount { account, reason } => BookEvent::AccountUnfrozen(changed(account, reason)),
            Command::CloseAccount { account, reason } => BookEvent::AccountClosed(changed(account, reason)),
            Command::Post(new) => {
                BookEvent::TransactionPosted(posted(new, new.effective_at.map_or(now, timestamp::truncate), None))
            }
            Command::Reverse {
                original,
                postings,
                is_reversal: _,
                reason,
            } => BookEvent::TransactionPosted(Transaction {
                captures: None,
                code: Code::REVERSAL,
                description: reason.clone(),
                effective_at: now,
                metadata: BTreeMap::new(),
                postings: postings.iter().map(mirrored).collect(),
                reference: None,
                reverses: Some(*original),
            }),
            Command::PlaceHold {
                account,
                amount,
                asset,
                expires_at,
                reference,
            } => BookEvent::HoldPlaced(HoldPlaced {
                hold: id,
                account: account.clone(),
                amount: *amount,
                asset: *asset,
                expires_at: expires_at.map(timestamp::truncate),
                reference: reference.clone(),
            }),
            Command::Capture { hold, transaction } => {
                BookEvent::TransactionPosted(posted(transaction, now, Some(*hold)))
            }
            Command::VoidHold { hold, reason } => BookEvent::HoldVoided(released(*hold, reason.clone())),
            Command::ExpireHold { hold } => BookEvent::HoldExpired(released(*hold, None)),
            Command::ClosePeriod { through } => BookEvent::PeriodClosed(PeriodClosed { through: *through }),
            Command::TakeSnapshot { position } => BookEvent::SnapshotTaken(SnapshotTaken {
                position: *position,
                state_hash: self.state_hash(),
            }),
        }
    }
}

fn mirrored(posting: &Posting) -> Posting {
    Posting {
        debit: posting.credit.clone(),
        credit: posting.debit.clone(),
        ..posting.clone()
    }
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
