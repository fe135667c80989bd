//! Payouts: from a creator's request to money at a bank.
//!
//! | status | what it waits for | what can happen |
//! |---|---|---|
//! | requested | the sponsor | the sponsor approves; it is rejected; the creator cancels |
//! | sponsor_approved | an admin, if the amount is above the limit; otherwise it is approved at once | an admin approves; it is rejected; the creator cancels |
//! | approved | somebody to send it | it is submitted; it is rejected; the creator cancels |
//! | submitted | the payment provider | it is settled; the attempt failed; nobody knows: unknown |
//! | unknown | somebody to find out | it is settled; the attempt failed |
//! | settled, rejected, cancelled, failed | nothing: it is over | |
//!
//! An attempt that failed goes back to approved, unless it was the last one or another makes no sense: then the payout
//! has failed. A payout that is not over can be held by any number of suspicions, which is no status of its own: a held
//! payout is neither approved nor submitted, but it can be rejected or cancelled, and what was sent has its outcome.
//! The tables of this machine are `tests/machine.txt` and `tests/held.txt`.

mod command;
mod decide;
mod digest;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;
mod under_way;

pub use command::{PayoutCommand, Request};
pub use digest::digest;
pub use error::PayoutError;
pub use event::{
    Approval, Approved, Attempt, Ended, FlagOfPayout, PayoutEvent, Requested, SecondFactor, Settled, Submitted,
};
pub use state::{Payout, Status};
