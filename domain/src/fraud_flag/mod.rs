//! Suspicions of fraud. What they hold stands in the same unit, on the streams of the payouts.

mod command;
mod decide;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::FraudFlagCommand;
pub use decide::FraudFlagError;
pub use event::{FraudFlagEvent, Raised, Resolved, SourceType};
pub use state::{FraudFlag, Status};
