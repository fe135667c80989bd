//! What an import did.

use super::balance_check::BalanceReport;
use serde::Serialize;
use std::path::PathBuf;

/// How many bad rows and mismatches are listed; all are counted.
pub(super) const LISTED: usize = 20;

/// A row that was not posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// What the ids of the entries derive from.
    pub source: String,
    /// Rows that were handled: posted, there already, or refused.
    pub rows: u64,
    /// Rows that are in the log now and were not before.
    pub posted: u64,
    /// Rows that were in the log already.
    pub duplicates: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// Accounts that were opened.
    pub accounts_opened: u64,
    /// The first rows that were refused.
    pub first_refused: Vec<Refused>,
    /// Where all of them are.
    pub rejects: Option<PathBuf>,
    /// The comparison with printed balances, if it was asked for.
    pub balances: Option<BalanceReport>,
    /// Why the import ended before the end of the file, if it did. Everything before is kept: running it again goes on.
    pub stopped: Option<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    /// Whether the whole file is in the log and agrees with what it prints.
    pub fn holds(&self) -> bool {
        self.refused == 0
            && self.stopped.is_none()
            && self.balances.as_ref().is_none_or(|balances| balances.mismatches == 0)
    }

    /// How many rows were handled so far.
    pub(super) fn rows(&self) -> u64 {
        self.posted + self.duplicates + self.refused
    }

    pub(super) fn refuse(&mut self, line: u64, reason: &str) {
        self.refused += 1;
        if self.first_refused.len() < LISTED {
            self.first_refused.push(Refused {
                line,
                reason: reason.to_owned(),
            });
        }
    }
}
