//! What a transaction does to the totals of its accounts, and what must hold of the money. `decide` and `evolve` both come
//! through here, so what was accepted live is accepted in a replay, by this version and by every later one: a rule that
//! may ever change stands in `input.rs`.

use crate::account::{Account, NormalSide};
use crate::address::Address;
use crate::amount::Amount;
use crate::book::{Book, Hold};
use crate::refusal::Refusal;
use crate::transaction::Posting;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What one account gains on both sides.
pub(crate) struct Change {
    pub(crate) address: Address,
    pub(crate) debits: i128,
    pub(crate) credits: i128,
}

/// Refuses postings that move nothing, or move money the wrong way.
pub(crate) fn check_signs(postings: &[Posting]) -> Result<(), Refusal> {
    for (index, posting) in postings.iter().enumerate() {
        if !posting.amount.is_positive() {
            return Err(Refusal::AmountNotPositive {
                place: format!("posting {}", index + 1),
            });
        }
    }
    Ok(())
}

/// The changes that the postings make, if the state allows all of them. `captured` is the hold that they turn into
/// money: its amount counts as available, its account is the only one they may take from.
///
/// Each check looks at all postings before the next one is made: the precedence is of refusals, not of postings.
pub(crate) fn of_transaction(
    book: &Book,
    postings: &[Posting],
    effective_at: DateTime<Utc>,
    captured: Option<&Hold>,
) -> Result<Vec<Change>, Refusal> {
    check_signs(postings)?;
    check_accounts(book, postings)?;
    if let Some(through) = book.closed_through()
        && effective_at.date_naive() <= through
    {
        return Err(Refusal::PeriodClosed { through, effective_at });
    }
    if let Some(hold) = captured {
        check_capture(book, postings, hold)?;
    }
    let changes = sum(postings);
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in &changes {
        let before = book.existing(&change.address)?;
        outcomes.push((change, before, after(before, change, captured)?));
    }
    for (change, before, after) in &outcomes {
        check_funds(change, before, after)?;
    }
    Ok(changes)
}

fn check_accounts(book: &Book, postings: &[Posting]) -> Result<(), Refusal> {
    let mut legs = Vec::with_capacity(2 * postings.len());
    for (index, posting) in postings.iter().enumerate() {
        for address in [&posting.debit, &posting.credit] {
            legs.push((index + 1, posting.asset, address, book.existing(address)?));
        }
    }
    for (number, asset, address, account) in &legs {
        if account.asset != *asset {
            return Err(Refusal::AssetMismatch {
                place: format!("posting {number}"),
                account: (*address).clone(),
                expected: account.asset,
                asset: *asset,
            });
        }
    }
    for (_, _, address, account) in &legs {
        check_not_closed(address, account)?;
    }
    for (_, _, address, account) in &legs {
        check_not_frozen(address, account)?;
    }
    Ok(())
}

/// Refuses accounts that take no postings and no holds.
pub(crate) fn check_usable(address: &Address, account: &Account) -> Result<(), Refusal> {
    check_not_closed(address, account)?;
    check_not_frozen(address, account)
}

fn check_not_closed(address: &Address, account: &Account) -> Result<(), Refusal> {
    if account.flags.closed {
        return Err(Refusal::AccountClosed(address.clone()));
    }
    Ok(())
}

fn check_not_frozen(address: &Address, account: &Account) -> Result<(), Refusal> {
    if account.flags.frozen {
        return Err(Refusal::AccountFrozen(address.clone()));
    }
    Ok(())
}

fn check_capture(book: &Book, postings: &[Posting], hold: &Hold) -> Result<(), Refusal> {
    let account = book.existing(&hold.account)?;
    let mut requested: i128 = 0;
    for (index, posting) in postings.iter().enumerate() {
        let source = match account.normal_side {
            NormalSide::Credit => &posting.debit,
            NormalSide::Debit => &posting.credit,
        };
        if *source != hold.account {
            return Err(Refusal::CaptureFromOtherAccount {
                posting: index + 1,
                account: hold.account.clone(),
            });
        }
        // No memory has room for the 10^14 amounts of at most 10^24 that i128 could not hold.
        requested += posting.amount.minor();
    }
    if requested > hold.amount.minor() {
        return Err(Refusal::CaptureExceedsHold {
            requested: account.asset.decimal(requested),
            held: account.asset.decimal(hold.amount.minor()),
        });
    }
    Ok(())
}

/// The changes of all accounts; the sums are far within i128, as above.
fn sum(postings: &[Posting]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::with_capacity(postings.len() + 1);
    // Found by a map: a search would compare each account with all before it, and a batch has many transactions.
    let mut places: BTreeMap<&Address, usize> = BTreeMap::new();
    for posting in postings {
        let minor = posting.amount.minor();
        for (address, debits, credits) in [(&posting.debit, minor, 0), (&posting.credit, 0, minor)] {
            let place = *places.entry(address).or_insert(changes.len());
            match changes.get_mut(place) {
                Some(change) => {
                    change.debits += debits;
                    change.credits += credits;
                }
                None => changes.push(Change {
                    address: address.clone(),
                    debits,
                    credits,
                }),
            }
        }
    }
    changes
}

/// The account as it would be after the change, if its totals stay within the bounds.
fn after(before: &Account, change: &Change, captured: Option<&Hold>) -> Result<Account, Refusal> {
    let overflow = || Refusal::Overflow(change.address.clone());
    let mut after = before.clone();
    after.debits = Amount::from_minor(before.debits.minor() + change.debits).map_err(|_| overflow())?;
    after.credits = Amount::from_minor(before.credits.minor() + change.credits).map_err(|_| overflow())?;
    if let Some(hold) = captured
        && hold.account == change.address
    {
        // The hold that is captured is there to be spent.
        after.held = before.held.checked_sub(hold.amount).ok_or_else(overflow)?;
    }
    Ok(after)
}

fn check_funds(change: &Change, before: &Account, after: &Account) -> Result<(), Refusal> {
    let taken = before.balance() - after.balance();
    if taken > 0 && !before.flags.may_go_negative && after.available() < 0 {
        let available = after.available() + taken;
        return Err(insufficient(&change.address, before, available, taken));
    }
    Ok(())
}

/// The refusal of taking `needed` where `available` is there, both in minor units.
pub(crate) fn insufficient(address: &Address, account: &Account, available: i128, needed: i128) -> Refusal {
    Refusal::InsufficientFunds {
        account: address.clone(),
        available: account.asset.decimal(available),
        needed: account.asset.decimal(needed),
        asset: account.asset,
    }
}
