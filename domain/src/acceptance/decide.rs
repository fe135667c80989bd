//! An acceptance needs a reason; whether there is something to accept is known outside of the log.

use super::{AcceptanceEvent, Acceptances, ClockAccepted, HistoryAccepted};
use crate::aggregate::Aggregate;
use crate::codes::refusal_codes;
use crate::text::{self, InvalidText};

/// What can be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptanceCommand {
    /// That events were lost.
    AcceptHistory(HistoryAccepted),
    /// That a clock was set.
    AcceptClock(ClockAccepted),
}

/// Why an acceptance is refused; in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcceptanceError {
    /// There is no reason.
    #[error("give a reason: who reads the log later wants to know what happened")]
    NoReason,
    /// The reason cannot be kept.
    #[error(transparent)]
    InvalidText(#[from] InvalidText),
}

refusal_codes!(AcceptanceError {
    NoReason => "invalid_text",
    InvalidText(_) => "invalid_text",
});

impl Aggregate for Acceptances {
    const TYPE: &'static str = "log";
    type Command = AcceptanceCommand;
    type Event = AcceptanceEvent;
    type Error = AcceptanceError;

    fn decide(&self, command: &AcceptanceCommand) -> Result<Vec<AcceptanceEvent>, AcceptanceError> {
        let (reason, event) = match command {
            AcceptanceCommand::AcceptHistory(accepted) => {
                (&accepted.reason, AcceptanceEvent::HistoryAccepted(accepted.clone()))
            }
            AcceptanceCommand::AcceptClock(accepted) => {
                (&accepted.reason, AcceptanceEvent::ClockAccepted(accepted.clone()))
            }
        };
        if reason.trim().is_empty() {
            return Err(AcceptanceError::NoReason);
        }
        text::check_line("reason", reason, text::REASON)?;
        Ok(vec![event])
    }

    fn evolve(&mut self, _: &AcceptanceEvent) {
        self.any = true;
    }

    fn exists(&self) -> bool {
        self.any
    }
}
