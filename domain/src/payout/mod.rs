//! Payouts: from a creator's request to money at a bank.

mod command;
mod decide;
mod digest;
mod error;
mod event;
mod state;

pub use command::{PayoutCommand, Request};
pub use digest::digest;
pub use error::PayoutError;
pub use event::{
    Approval, Approved, Attempt, Ended, FlagOfPayout, PayoutEvent, Requested, SecondFactor, Settled, Submitted,
};
pub use state::{Payout, Status};
