//! Payouts: from a creator's request to money at a bank.

mod command;
mod decide;
mod digest;
mod event;
mod state;

pub use command::{PayoutCommand, Request};
pub use decide::PayoutError;
pub use digest::digest;
pub use event::{
    Approval, Approved, Attempt, Ended, FlagOfPayout, PayoutEvent, Requested, SecondFactor, Settled, Submitted,
};
pub use state::{Payout, Status};
