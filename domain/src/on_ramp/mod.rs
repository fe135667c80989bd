//! Purchases of V-Coin: each turns one fiat entry into V-Coin, once.

mod command;
mod decide;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::OnRampCommand;
pub use decide::OnRampError;
pub use event::{Completed, OnRampEvent};
pub use state::OnRamp;
