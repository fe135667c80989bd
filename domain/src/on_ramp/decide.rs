//! A fiat entry is turned into V-Coin once: the stream's id derives from the entry, and the stream has one event.

use super::{Completed, OnRamp, OnRampCommand, OnRampEvent};
use crate::aggregate::Aggregate;
use crate::codes::refusal_codes;
use crate::money::{Money, Rate, Vcoin};
use crate::text::{self, InvalidText};
use viral_ledger::Asset;

/// The longest name of a fiat entry, in characters.
const FIAT_ENTRY: usize = 200;

/// Why a purchase is refused; in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnRampError {
    /// The entry was used before.
    #[error("fiat entry {fiat_entry:?} was turned into V-Coin before: each entry counts once")]
    AlreadyCompleted {
        /// Which entry.
        fiat_entry: String,
    },
    /// Nothing came in.
    #[error("the fiat amount is {0}: it must be above zero")]
    AmountNotPositive(Money),
    /// V-Coin is sold for one currency.
    #[error("the fiat amount is in {given}: V-Coin is bought with {expected}")]
    WrongCurrency {
        /// What was offered.
        given: Asset,
        /// What is taken.
        expected: Asset,
    },
    /// The entry's name cannot be kept.
    #[error(transparent)]
    InvalidText(#[from] InvalidText),
    /// The result is beyond the bounds of an amount.
    #[error("{fiat} at {rate} for one VCOIN is more V-Coin than the ledger can count")]
    AmountOutOfRange {
        /// What came in.
        fiat: Money,
        /// What one V-Coin costs.
        rate: Rate,
    },
    /// The result is less than the smallest amount.
    #[error("{fiat} at {rate} for one VCOIN does not buy the smallest amount of 0.0001 VCOIN: pay in more")]
    OnRampTooSmall {
        /// What came in.
        fiat: Money,
        /// What one V-Coin costs.
        rate: Rate,
    },
}

refusal_codes!(OnRampError {
    AlreadyCompleted { .. } => "fiat_entry_used",
    AmountNotPositive(_) => "amount_not_positive",
    WrongCurrency { .. } => "wrong_currency",
    InvalidText(_) => "invalid_text",
    AmountOutOfRange { .. } => "amount_out_of_range",
    OnRampTooSmall { .. } => "on_ramp_too_small",
});

impl Aggregate for OnRamp {
    const TYPE: &'static str = "on_ramp";
    type Command = OnRampCommand;
    type Event = OnRampEvent;
    type Error = OnRampError;

    fn decide(&self, command: &OnRampCommand) -> Result<Vec<OnRampEvent>, OnRampError> {
        if let Some(completed) = &self.completed {
            return Err(OnRampError::AlreadyCompleted {
                fiat_entry: completed.fiat_entry.clone(),
            });
        }
        let OnRampCommand::Complete {
            on_ramp,
            user,
            fiat,
            fiat_entry,
            terms,
            transaction,
        } = command;
        check_fiat(*fiat, terms.fiat)?;
        // The purchase has its id from this: another spelling would be another purchase.
        text::check_identifier("fiat_entry", fiat_entry, FIAT_ENTRY)?;
        Ok(vec![OnRampEvent::Completed(Completed {
            amount_vcoin: issued(*fiat, terms.rate)?,
            fiat: *fiat,
            fiat_entry: fiat_entry.clone(),
            on_ramp: *on_ramp,
            rate: terms.rate,
            transaction: *transaction,
            user: *user,
        })])
    }

    fn evolve(&mut self, event: &OnRampEvent) {
        let OnRampEvent::Completed(completed) = event;
        self.completed = Some(completed.clone());
    }

    fn exists(&self) -> bool {
        self.completed.is_some()
    }
}

fn check_fiat(fiat: Money, expected: Asset) -> Result<(), OnRampError> {
    let given = fiat.asset;
    if !fiat.amount.is_positive() {
        return Err(OnRampError::AmountNotPositive(fiat));
    }
    if given != expected {
        return Err(OnRampError::WrongCurrency { given, expected });
    }
    Ok(())
}

fn issued(fiat: Money, rate: Rate) -> Result<Vcoin, OnRampError> {
    match rate.to_vcoin(fiat) {
        None => Err(OnRampError::AmountOutOfRange { fiat, rate }),
        Some(amount) if !amount.is_positive() => Err(OnRampError::OnRampTooSmall { fiat, rate }),
        Some(amount) => Ok(amount),
    }
}
