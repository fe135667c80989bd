//! The words that the tests are written in. Where nothing else is said an account is a wallet, which grows on the credit
//! side, counts V-Coin, and is paid from `mint`, which may go negative.

use crate::account::NormalSide;
use crate::address::Address;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::command::Command;
use crate::event::{AccountChanged, AccountOpened, BookEvent, HoldPlaced, HoldReleased, PeriodClosed};
use crate::transaction::{Code, NewTransaction, Posting, Transaction};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The time of everything that says no other.
pub(super) const NOW: &str = "2026-02-01T12:00:00Z";
/// The id of the event that a test asks for.
pub(super) const EVENT: Uuid = Uuid::from_u128(0xE);

pub(super) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(super) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(super) fn asset(code: &str) -> Asset {
    Asset::parse(code).unwrap()
}

pub(super) fn vcoin(text: &str) -> Amount {
    Amount::parse(text, Asset::VCOIN).unwrap()
}

// Events.

pub(super) fn opened(account: &str, code: &str, normal_side: NormalSide, may_go_negative: bool) -> BookEvent {
    BookEvent::AccountOpened(AccountOpened {
        account: address(account),
        asset: asset(code),
        may_go_negative,
        normal_side,
    })
}

pub(super) fn credit(account: &str) -> BookEvent {
    opened(account, "VCOIN", NormalSide::Credit, false)
}

pub(super) fn mint() -> BookEvent {
    opened("mint", "VCOIN", NormalSide::Credit, true)
}

fn changed(account: &str) -> AccountChanged {
    AccountChanged {
        account: address(account),
        reason: None,
    }
}

pub(super) fn frozen(account: &str) -> BookEvent {
    BookEvent::AccountFrozen(changed(account))
}

pub(super) fn unfrozen(account: &str) -> BookEvent {
    BookEvent::AccountUnfrozen(changed(account))
}

pub(super) fn closed(account: &str) -> BookEvent {
    BookEvent::AccountClosed(changed(account))
}

/// A posted transfer, effective [`NOW`].
pub(super) fn posted<const N: usize>(postings: [Posting; N]) -> Transaction {
    Transaction {
        captures: None,
        code: Code::TRANSFER,
        description: None,
        effective_at: time(NOW),
        metadata: Default::default(),
        postings: postings.into(),
        reference: None,
        reverses: None,
    }
}

/// `amount` came from `mint`.
pub(super) fn paid(account: &str, amount: &str) -> BookEvent {
    BookEvent::TransactionPosted(posted([from("mint", account, amount)]))
}

pub(super) fn held(hold: u128, account: &str, amount: &str) -> BookEvent {
    BookEvent::HoldPlaced(HoldPlaced {
        hold: Uuid::from_u128(hold),
        account: address(account),
        amount: vcoin(amount),
        asset: Asset::VCOIN,
        expires_at: None,
        reference: None,
    })
}

pub(super) fn held_until(hold: u128, account: &str, amount: &str, expires_at: &str) -> BookEvent {
    match held(hold, account, amount) {
        BookEvent::HoldPlaced(placed) => BookEvent::HoldPlaced(HoldPlaced {
            expires_at: Some(time(expires_at)),
            ..placed
        }),
        other => other,
    }
}

pub(super) fn released(hold: u128) -> HoldReleased {
    HoldReleased {
        hold: Uuid::from_u128(hold),
        reason: None,
    }
}

pub(super) fn period_closed(through: &str) -> BookEvent {
    BookEvent::PeriodClosed(PeriodClosed {
        through: through.parse().unwrap(),
    })
}

// Postings and commands.

/// A posting that takes `amount` from one wallet and gives it to another.
pub(super) fn from(source: &str, destination: &str, amount: &str) -> Posting {
    Posting {
        debit: address(source),
        credit: address(destination),
        amount: vcoin(amount),
        asset: Asset::VCOIN,
    }
}

pub(super) fn posting_of(code: &str, debit: &str, credit: &str, amount: &str) -> Posting {
    Posting {
        debit: address(debit),
        credit: address(credit),
        amount: Amount::parse(amount, asset(code)).unwrap(),
        asset: asset(code),
    }
}

/// A transfer that nobody has posted yet.
pub(super) fn transfer(postings: impl Into<Vec<Posting>>) -> NewTransaction {
    NewTransaction {
        code: Code::TRANSFER,
        description: None,
        effective_at: None,
        metadata: Default::default(),
        postings: postings.into(),
        reference: None,
    }
}

pub(super) fn post(postings: impl Into<Vec<Posting>>) -> Command {
    Command::Post(transfer(postings))
}

pub(super) fn post_effective(at: &str, postings: impl Into<Vec<Posting>>) -> Command {
    Command::Post(NewTransaction {
        effective_at: Some(time(at)),
        ..transfer(postings)
    })
}

pub(super) fn open(account: &str, code: &str, normal_side: NormalSide, may_go_negative: bool) -> Command {
    Command::OpenAccount {
        account: address(account),
        asset: asset(code),
        normal_side,
        may_go_negative,
    }
}

pub(super) fn freeze(account: &str) -> Command {
    Command::FreezeAccount {
        account: address(account),
        reason: None,
    }
}

pub(super) fn unfreeze(account: &str) -> Command {
    Command::UnfreezeAccount {
        account: address(account),
        reason: None,
    }
}

pub(super) fn close(account: &str) -> Command {
    Command::CloseAccount {
        account: address(account),
        reason: None,
    }
}

pub(super) fn hold(account: &str, amount: &str) -> Command {
    Command::PlaceHold {
        account: address(account),
        amount: vcoin(amount),
        asset: Asset::VCOIN,
        expires_at: None,
        reference: None,
    }
}

pub(super) fn hold_until(account: &str, amount: &str, at: &str) -> Command {
    Command::PlaceHold {
        account: address(account),
        amount: vcoin(amount),
        asset: Asset::VCOIN,
        expires_at: Some(time(at)),
        reference: None,
    }
}

pub(super) fn capture(hold: u128, postings: impl Into<Vec<Posting>>) -> Command {
    Command::Capture {
        hold: Uuid::from_u128(hold),
        transaction: transfer(postings),
    }
}

pub(super) fn void(hold: u128) -> Command {
    Command::VoidHold {
        hold: Uuid::from_u128(hold),
        reason: None,
    }
}

pub(super) fn expire(hold: u128) -> Command {
    Command::ExpireHold {
        hold: Uuid::from_u128(hold),
    }
}

pub(super) fn close_period(through: &str) -> Command {
    Command::ClosePeriod {
        through: through.parse().unwrap(),
    }
}

pub(super) fn reverse(original: u128, postings: impl Into<Vec<Posting>>) -> Command {
    Command::Reverse {
        original: Uuid::from_u128(original),
        postings: postings.into(),
        is_reversal: false,
        reason: None,
    }
}
