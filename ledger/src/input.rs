//! The rules of input: how long texts are, which characters they may have, how many of something there may be, which years
//! can be shown. Only decisions ask them. A replay does not, so that a log stays sound whenever one of them is tightened:
//! what was accepted under another rule is a fact.
//!
//! A posting that debits and credits the same account is such a rule, too: it moves nothing, so no balance depends on it.

use crate::address::Address;
use crate::command::Command;
use crate::effects;
use crate::identifier::{self, InvalidIdentifier};
use crate::refusal::Refusal;
use crate::timestamp;
use crate::transaction::{Code, Metadata, NewTransaction, Posting, Reference};
use chrono::{DateTime, Datelike, Utc};

/// The most postings that one transaction may have. The store has the last word: it refuses an event whose line would
/// be longer than 65,535 bytes.
const MAX_POSTINGS: usize = 200;

/// Checks what a command says by itself, in the order of the refusals. `now` is when it is decided.
pub(crate) fn check(now: DateTime<Utc>, command: &Command) -> Result<(), Refusal> {
    match command {
        Command::OpenAccount { account, .. } => check_address(account),
        Command::FreezeAccount { reason, .. }
        | Command::UnfreezeAccount { reason, .. }
        | Command::CloseAccount { reason, .. }
        | Command::VoidHold { reason, .. } => check_remark("reason", reason.as_ref()),
        Command::Post(new) => check_transaction(new, new.effective_at.map_or(now, timestamp::truncate)),
        Command::Capture { transaction, .. } => check_transaction(transaction, now),
        Command::Reverse {
            original,
            postings,
            is_reversal,
            reason,
        } => {
            check_count(postings)?;
            check_remark("reason", reason.as_ref())?;
            check_postings(postings, now)?;
            match is_reversal {
                true => Err(Refusal::ReversalOfReversal(*original)),
                false => Ok(()),
            }
        }
        Command::PlaceHold {
            expires_at, reference, ..
        } => {
            check_reference(reference.as_ref())?;
            match expires_at {
                Some(at) if at.year() > 9999 => Err(unprintable("expires_at")),
                _ => Ok(()),
            }
        }
        Command::ClosePeriod { through } if through.year() < 1900 => Err(unprintable("through")),
        Command::ClosePeriod { .. } | Command::ExpireHold { .. } | Command::TakeSnapshot { .. } => Ok(()),
    }
}

fn check_transaction(new: &NewTransaction, effective_at: DateTime<Utc>) -> Result<(), Refusal> {
    check_count(&new.postings)?;
    if new.code == Code::REVERSAL {
        return Err(Refusal::ReservedCode(new.code.to_string()));
    }
    if let Err(invalid) = Code::parse(new.code.as_str()) {
        return Err(invalid_text("code", invalid.to_string()));
    }
    check_remark("description", new.description.as_ref())?;
    check_reference(new.reference.as_ref())?;
    check_metadata(&new.metadata)?;
    check_postings(&new.postings, effective_at)
}

fn check_count(postings: &[Posting]) -> Result<(), Refusal> {
    match postings.len() {
        0 => Err(Refusal::EmptyTransaction),
        count if count > MAX_POSTINGS => Err(Refusal::TooManyPostings {
            count,
            max: MAX_POSTINGS,
        }),
        _ => Ok(()),
    }
}

fn check_postings(postings: &[Posting], effective_at: DateTime<Utc>) -> Result<(), Refusal> {
    for (index, posting) in postings.iter().enumerate() {
        if posting.debit == posting.credit {
            return Err(Refusal::SelfTransfer {
                posting: index + 1,
                account: posting.debit.clone(),
            });
        }
    }
    // Asked of the money again; here only because it comes before the year.
    effects::check_signs(postings)?;
    if (1900..=9999).contains(&effective_at.year()) {
        Ok(())
    } else {
        Err(Refusal::EffectiveOutOfRange(effective_at))
    }
}

/// The other commands name accounts that are there or are refused for that.
fn check_address(account: &Address) -> Result<(), Refusal> {
    match Address::parse(account.as_str()) {
        Ok(_) => Ok(()),
        Err(invalid) => Err(invalid_text("account", invalid.to_string())),
    }
}

/// The refusal of a date or time that could not be written with a year of four digits.
fn unprintable(field: &str) -> Refusal {
    invalid_text(field, "is outside 1900-01-01 to 9999-12-31".to_owned())
}

/// Refuses text that is too long or has characters that cannot be kept everywhere (control characters).
fn check_text(field: &str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.chars().count() > max {
        Err(invalid_text(field, format!("has more than {max} characters")))
    } else if text.chars().any(char::is_control) {
        let problem = "has control characters (line breaks, tabs, NUL …)".to_owned();
        Err(invalid_text(field, problem))
    } else {
        Ok(())
    }
}

/// What something is called elsewhere has one spelling; that it is called nothing at all is no other spelling.
fn check_identifier(field: &str, text: &str, max: usize) -> Result<(), Refusal> {
    match identifier::check(text, max) {
        Ok(()) | Err(InvalidIdentifier::Empty) => Ok(()),
        Err(invalid) => Err(invalid_text(field, invalid.to_string())),
    }
}

fn invalid_text(field: &str, problem: String) -> Refusal {
    let field = field.to_owned();
    Refusal::InvalidText { field, problem }
}

/// Checks a reason or a description, if there is one.
fn check_remark(field: &str, text: Option<&String>) -> Result<(), Refusal> {
    text.map_or(Ok(()), |text| check_text(field, text, 1_000))
}

fn check_reference(reference: Option<&Reference>) -> Result<(), Refusal> {
    let Some(reference) = reference else { return Ok(()) };
    check_identifier("reference.type", &reference.kind, 64)?;
    check_identifier("reference.id", &reference.id, 200)
}

/// Checks free fields: at most 64, keys of at most 64 characters, values of at most 1,000.
fn check_metadata(metadata: &Metadata) -> Result<(), Refusal> {
    if metadata.len() > 64 {
        let problem = format!("has {} entries, at most 64 are kept", metadata.len());
        return Err(invalid_text("metadata", problem));
    }
    for (key, value) in metadata {
        check_text("a key of metadata", key, 64)?;
        // The name of the field is put together only where it is told.
        if check_text("metadata", value, 1_000).is_err() {
            check_text(&format!("metadata.{key}"), value, 1_000)?;
        }
    }
    Ok(())
}
