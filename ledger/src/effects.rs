//! What a transaction does to the totals of its accounts, and every check that it must pass. `decide` and `evolve`
//! both come through here, so what was accepted live is accepted in a replay, and nothing else is.

use crate::account::{Account, NormalSide};
use crate::address::Address;
use crate::amount::Amount;
use crate::book::{Book, Hold};
use crate::refusal::Refusal;
use crate::transaction::{Metadata, Posting, Reference};
use chrono::{DateTime, Datelike, Utc};

/// The most postings that one transaction may have; an event must fit in one line of 65,535 bytes.
pub(crate) const MAX_POSTINGS: usize = 200;

/// What one account gains on both sides.
pub(crate) struct Change {
    pub(crate) address: Address,
    pub(crate) debits: i128,
    pub(crate) credits: i128,
}

/// Checks what the postings say by themselves.
pub(crate) fn check_shape(postings: &[Posting], effective_at: Option<&DateTime<Utc>>) -> Result<(), Refusal> {
    if postings.is_empty() {
        return Err(Refusal::EmptyTransaction);
    }
    if postings.len() > MAX_POSTINGS {
        return Err(Refusal::TooManyPostings {
            count: postings.len(),
            max: MAX_POSTINGS,
        });
    }
    for (index, posting) in postings.iter().enumerate() {
        if posting.debit == posting.credit {
            return Err(Refusal::SelfTransfer {
                posting: index + 1,
                account: posting.debit.clone(),
            });
        }
    }
    for (index, posting) in postings.iter().enumerate() {
        if !posting.amount.is_positive() {
            return Err(Refusal::AmountNotPositive {
                place: format!("posting {}", index + 1),
            });
        }
    }
    match effective_at {
        Some(at) if !(1900..=9999).contains(&at.year()) => Err(Refusal::EffectiveOutOfRange(*at)),
        _ => Ok(()),
    }
}

/// The changes that the postings make, if the state allows all of them. `captured` is the hold that they turn into
/// money: its amount counts as available, its account is the only one they may take from.
pub(crate) fn of_transaction(
    book: &Book,
    postings: &[Posting],
    effective_at: DateTime<Utc>,
    captured: Option<&Hold>,
) -> Result<Vec<Change>, Refusal> {
    for (index, posting) in postings.iter().enumerate() {
        for address in [&posting.debit, &posting.credit] {
            let account = book.existing(address)?;
            if account.asset != posting.asset {
                return Err(Refusal::AssetMismatch {
                    place: format!("posting {}", index + 1),
                    account: address.clone(),
                    expected: account.asset,
                    asset: posting.asset,
                });
            }
            check_usable(address, account)?;
        }
    }
    if let Some(through) = book.closed_through()
        && effective_at.date_naive() <= through
    {
        return Err(Refusal::PeriodClosed { through, effective_at });
    }
    if let Some(hold) = captured {
        check_capture(book, postings, hold)?;
    }
    let changes = sum(postings);
    for change in &changes {
        check_totals(book.existing(&change.address)?, change, captured)?;
    }
    Ok(changes)
}

/// Refuses accounts that take no postings and no holds.
pub(crate) fn check_usable(address: &Address, account: &Account) -> Result<(), Refusal> {
    if account.flags.closed {
        return Err(Refusal::AccountClosed(address.clone()));
    }
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
        // At most MAX_POSTINGS amounts of at most 10^24: far from the bounds of i128.
        requested += posting.amount.minor();
    }
    if requested > hold.amount.minor() {
        return Err(Refusal::CaptureExceedsHold {
            requested: decimal(requested, account),
            held: decimal(hold.amount.minor(), account),
        });
    }
    Ok(())
}

fn sum(postings: &[Posting]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::with_capacity(postings.len() + 1);
    for posting in postings {
        let minor = posting.amount.minor();
        for (address, debits, credits) in [(&posting.debit, minor, 0), (&posting.credit, 0, minor)] {
            match changes.iter_mut().find(|change| change.address == *address) {
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

fn check_totals(account: &Account, change: &Change, captured: Option<&Hold>) -> Result<(), Refusal> {
    let overflow = || Refusal::Overflow(change.address.clone());
    let mut after = account.clone();
    after.debits = Amount::from_minor(account.debits.minor() + change.debits).map_err(|_| overflow())?;
    after.credits = Amount::from_minor(account.credits.minor() + change.credits).map_err(|_| overflow())?;
    if let Some(hold) = captured
        && hold.account == change.address
    {
        after.held = account.held.checked_sub(hold.amount).ok_or_else(overflow)?;
    }
    let taken = account.balance() - after.balance();
    if taken > 0 && !account.flags.may_go_negative && after.available() < 0 {
        // The hold that is captured is there to be spent.
        let available = after.available() + taken;
        return Err(insufficient(&change.address, account, available, taken));
    }
    Ok(())
}

/// The refusal of taking `needed` where `available` is there, both in minor units.
pub(crate) fn insufficient(address: &Address, account: &Account, available: i128, needed: i128) -> Refusal {
    Refusal::InsufficientFunds {
        account: address.clone(),
        available: decimal(available, account),
        needed: decimal(needed, account),
        asset: account.asset,
    }
}

fn decimal(minor: i128, account: &Account) -> String {
    Amount::from_minor(minor).map_or_else(
        |_| "more than 10^24 minor units".to_owned(),
        |a| a.to_text(account.asset),
    )
}

/// Refuses text that is too long or has characters that cannot be kept everywhere (control characters).
pub(crate) fn check_text(field: &str, text: &str, max: usize) -> Result<(), Refusal> {
    let problem = if text.chars().count() > max {
        format!("has more than {max} characters")
    } else if text.chars().any(char::is_control) {
        "has control characters (line breaks, tabs, NUL …)".to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::InvalidText {
        field: field.to_owned(),
        problem,
    })
}

/// Checks a reason or a description, if there is one.
pub(crate) fn check_remark(field: &str, text: Option<&String>) -> Result<(), Refusal> {
    text.map_or(Ok(()), |text| check_text(field, text, 1_000))
}

/// Checks a reference, if there is one.
pub(crate) fn check_reference(reference: Option<&Reference>) -> Result<(), Refusal> {
    let Some(reference) = reference else { return Ok(()) };
    check_text("reference.type", &reference.kind, 64)?;
    check_text("reference.id", &reference.id, 200)
}

/// Checks free fields: at most 64, keys of at most 64 characters, values of at most 1,000.
pub(crate) fn check_metadata(metadata: &Metadata) -> Result<(), Refusal> {
    if metadata.len() > 64 {
        return Err(Refusal::InvalidText {
            field: "metadata".to_owned(),
            problem: format!("has {} entries, at most 64 are kept", metadata.len()),
        });
    }
    for (key, value) in metadata {
        check_text("a key of metadata", key, 64)?;
        check_text(&format!("metadata.{key}"), value, 1_000)?;
    }
    Ok(())
}
