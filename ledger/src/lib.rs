//! The double-entry ledger of Viral Engine, as a pure library.
//!
//! It knows nothing of campaigns, databases, clocks or random numbers: time and ids arrive in the arguments. A
//! [`Book`] is a state machine with two functions: [`Book::decide`] checks a [`Command`] against the state and answers
//! with the [`BookEvent`] that would carry it out, or with the first [`Refusal`] in a fixed precedence;
//! [`Book::evolve`] applies an event, checking again whatever must hold of money and order, so that replaying a log is also
//! auditing it. Rules of input are asked by decisions only: tightening one never breaks an old log.

pub mod account;
pub mod address;
pub mod amount;
pub mod asset;
pub mod book;
pub mod characters;
pub mod command;
pub mod event;
pub mod identifier;
pub mod ids;
pub mod refusal;
pub mod reversal;
pub mod state_text;
pub mod timestamp;
pub mod transaction;
pub mod trial_balance;
pub mod versions;

mod effects;
mod input;

pub use account::{Account, Flags, NormalSide};
pub use address::Address;
pub use amount::Amount;
pub use asset::Asset;
pub use book::{Book, Decision, Hold, Violation};
pub use command::Command;
pub use event::BookEvent;
pub use refusal::Refusal;
pub use reversal::{ReversalEvent, ReversalRequested};
pub use transaction::{Code, NewTransaction, Posting, Reference, Transaction};
pub use trial_balance::TrialBalance;
