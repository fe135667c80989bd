//! A suspicion is raised once and resolved once.

use super::{FraudFlag, FraudFlagCommand, FraudFlagEvent, Raised, Resolved, Status};
use crate::aggregate::Aggregate;
use crate::codes::refusal_codes;
use crate::ids::FlagId;
use crate::text::{self, InvalidText};

/// The highest score: it is certain.
const MAX_SCORE: u8 = 100;
/// The most reasons of a suspicion.
const MAX_REASONS: usize = 20;
/// The most characters of all reasons together: an event must fit on a line of 65,535 bytes, at four bytes each.
const MAX_CHARACTERS: usize = 10_000;

/// Why a suspicion's command is refused; in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FraudFlagError {
    /// There is a suspicion with this id.
    #[error("flag {0} exists already: raise another one under a new id")]
    FlagExists(FlagId),
    /// There is no such suspicion.
    #[error("there is no such fraud flag: raise it first")]
    UnknownFlag,
    /// It was resolved before.
    #[error("the fraud flag is {} already: only an open one can be {action}", .status.as_str())]
    WrongStatus {
        /// How it was resolved.
        status: Status,
        /// What was to be done.
        action: &'static str,
    },
    /// The score is no percentage.
    #[error("the score is {0}: give a whole number from 0 to {MAX_SCORE}")]
    InvalidScore(u8),
    /// Too few or too many reasons.
    #[error(
        "{count} reasons with {characters} characters are given: give 1 to {MAX_REASONS} with at most \
         {MAX_CHARACTERS} characters together"
    )]
    InvalidReasons {
        /// How many.
        count: usize,
        /// How long they are together.
        characters: usize,
    },
    /// A text cannot be kept.
    #[error(transparent)]
    InvalidText(#[from] InvalidText),
}

refusal_codes!(FraudFlagError {
    FlagExists(_) => "flag_exists",
    UnknownFlag => "unknown_flag",
    WrongStatus { .. } => "flag_wrong_status",
    InvalidScore(_) => "invalid_score",
    InvalidReasons { .. } => "invalid_reasons",
    InvalidText(_) => "invalid_text",
});

impl Aggregate for FraudFlag {
    const TYPE: &'static str = "fraud_flag";
    type Command = FraudFlagCommand;
    type Event = FraudFlagEvent;
    type Error = FraudFlagError;

    fn decide(&self, command: &FraudFlagCommand) -> Result<Vec<FraudFlagEvent>, FraudFlagError> {
        let event = match command {
            FraudFlagCommand::Raise(raised) => self.raise(raised)?,
            FraudFlagCommand::Confirm { note, reviewer } => {
                FraudFlagEvent::Confirmed(self.resolve("confirmed", note.as_deref(), reviewer)?)
            }
            FraudFlagCommand::Dismiss { note, reviewer } => {
                FraudFlagEvent::Dismissed(self.resolve("dismissed", note.as_deref(), reviewer)?)
            }
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &FraudFlagEvent) {
        self.apply(event);
    }

    fn exists(&self) -> bool {
        self.raised.is_some()
    }
}

impl FraudFlag {
    fn raise(&self, new: &Raised) -> Result<FraudFlagEvent, FraudFlagError> {
        if let Some(raised) = &self.raised {
            return Err(FraudFlagError::FlagExists(raised.flag));
        }
        if new.score > MAX_SCORE {
            return Err(FraudFlagError::InvalidScore(new.score));
        }
        let count = new.reasons.len();
        let characters = new.reasons.iter().map(|reason| reason.chars().count()).sum();
        if !(1..=MAX_REASONS).contains(&count) || characters > MAX_CHARACTERS {
            return Err(FraudFlagError::InvalidReasons { count, characters });
        }
        for reason in &new.reasons {
            text::check_line("reasons", reason, text::REASON)?;
        }
        Ok(FraudFlagEvent::Raised(new.clone()))
    }

    fn resolve(&self, action: &'static str, note: Option<&str>, reviewer: &str) -> Result<Resolved, FraudFlagError> {
        let raised = self.raised.as_ref().ok_or(FraudFlagError::UnknownFlag)?;
        if self.status != Status::Open {
            let status = self.status;
            return Err(FraudFlagError::WrongStatus { status, action });
        }
        if let Some(note) = note {
            text::check_text("note", note, text::DESCRIPTION)?;
        }
        Ok(Resolved {
            flag: raised.flag,
            note: note.map(str::to_owned),
            reviewer: reviewer.to_owned(),
        })
    }
}
