//! What an operator has accepted of the log itself: that it went back to an earlier state and goes on from there, or that
//! the clock of its server was set. Until then nothing is decided, see `viral-store`'s `continuity`.

mod decide;
mod event;
#[cfg(test)]
mod tests;

pub use decide::{AcceptanceCommand, AcceptanceError};
pub use event::{AcceptanceEvent, CLOCK_ACCEPTED, ClockAccepted, HISTORY_ACCEPTED, HistoryAccepted, Place};

/// The acceptances of a log, all in one stream, `log/main`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acceptances {
    /// Whether there was any.
    any: bool,
}

impl Acceptances {
    /// The one stream that they are in.
    pub const ID: &'static str = "main";
}
