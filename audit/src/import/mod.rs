//! Imports: the journal of another ledger, row by row, into this one.
//!
//! Each row becomes one transaction whose identity derives from the source and the row's `entry_id`, so an import can be
//! killed at any moment and run again: what is in the log already is recognised there. How a row is appended is the
//! business of a [`Poster`], which the caller brings.

mod accounts;
mod balance_check;
mod chunk;
mod columns;
mod error;
mod exact;
mod options;
mod positions;
mod posting;
mod records;
mod rejects;
mod report;
mod row;
mod run;
mod send;

pub use balance_check::{BalanceReport, Difference, Mismatch};
pub use error::ImportError;
pub use options::Options;
pub use posting::{Entry, NewAccount, PortError, PostResult, Poster};
pub use report::{Refused, Report};
pub use run::journal;
