//! The auditor's tools: what the log proves, and the ways in and out of it.
//!
//! Everything here starts from the events alone, through the port of the store: [`replay()`] and [`trial_balance()`]
//! say what the accounts are at any moment, [`verify()`] re-reads every stored byte and names the first bad position,
//! [`export`] writes lines and journals that other programs accept, [`import`] brings a foreign journal in, [`lines`]
//! makes a log of a file of lines that all of this works on, [`mod@restore`] a store. Nothing here keeps more in memory as
//! the log grows longer; what grows is the number of accounts.
//!
//! The functions work on a page of events between two awaits, a few ten milliseconds at most, while the next page is
//! read: on a runtime with several threads, reading and computing overlap.

pub mod as_of;
pub mod error;
pub mod export;
pub mod import;
pub mod lines;
pub mod progress;
pub mod replay;
pub mod restore;
pub mod trial_balance;
pub mod verify;

mod decode;
mod input;
mod pages;

pub use as_of::{AsOf, Cutoff};
pub use error::AuditError;
pub use progress::{Progress, Silent};
pub use replay::{Replay, replay};
pub use restore::restore;
pub use trial_balance::trial_balance;
pub use verify::{Finding, NotVerified, Verification, verify, verify_up_to};
