//! The check of a running balance that the foreign ledger printed beside each entry.
//!
//! The exact balance is what the log had on the account before, from anything but this source, and the sum of the rows
//! of the file so far: so a second run, which finds every row in the log, compares the same numbers again.

use super::error::ImportError;
use super::exact::{exact, scale_factor, to_text};
use super::options::{Options, Patterns};
use super::positions::Positions;
use super::report::LISTED;
use super::row::{REFERENCE, Row};
use crate::decode;
use crate::error::AuditError;
use crate::progress::Progress;
use crate::replay::each_event;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use viral_ledger::{Address, BookEvent, NormalSide, Posting, Transaction};
use viral_store::{EventStore, Position, StoredEvent};

/// What the comparison showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BalanceReport {
    /// Rows whose balance was compared.
    pub checked: u64,
    /// Rows whose balance differs by more than the tolerance, or could not be compared.
    pub mismatches: u64,
    /// The largest difference, within the tolerance or not.
    pub worst: Option<Difference>,
    /// The first mismatches.
    pub first_mismatches: Vec<Mismatch>,
}

/// A printed balance and the exact one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The line of the row.
    pub line: u64,
    /// The account.
    pub account: Address,
    /// What is printed.
    pub printed: String,
    /// What the ledger has.
    pub exact: String,
    /// How far they are apart, not negative.
    pub difference: String,
}

/// A row whose balance does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The line of the row.
    pub line: u64,
    /// Why.
    pub problem: String,
}

/// An account whose balance is followed, debits less credits in minor units.
#[derive(Debug, Clone, Copy)]
struct Running {
    normal_side: NormalSide,
    minor: i128,
}

/// The check under way.
pub(super) struct BalanceCheck {
    tolerance: i128,
    of: Patterns,
    running: HashMap<Address, Running>,
    counted: Positions,
    worst: i128,
    report: BalanceReport,
}

impl BalanceCheck {
    pub(super) fn new(options: &Options) -> Result<BalanceCheck, ImportError> {
        let tolerance = exact(&options.tolerance).filter(|tolerance| *tolerance >= 0);
        let tolerance = tolerance.ok_or_else(|| ImportError::Option {
            option: "--tolerance",
            problem: format!("{:?} is not a decimal number of zero or more", options.tolerance),
        })?;
        Ok(BalanceCheck {
            tolerance,
            of: Patterns::compile("--balance-of", std::slice::from_ref(&options.balance_of))?,
            running: HashMap::new(),
            counted: Positions::default(),
            worst: -1,
            report: BalanceReport::default(),
        })
    }

    /// Reads what the log has on the accounts from anything but `source`.
    pub(super) async fn load(
        &mut self,
        store: &Arc<dyn EventStore>,
        up_to: Position,
        source: &str,
        progress: &dyn Progress,
    ) -> Result<(), AuditError> {
        each_event(store, up_to, progress, |event| self.opening(event, source)).await
    }

    fn opening(&mut self, event: &StoredEvent, source: &str) -> Result<(), AuditError> {
        match decode::book(event)? {
            Some(BookEvent::AccountOpened(opened)) => self.opened(&opened.account, opened.normal_side),
            Some(BookEvent::TransactionPosted(transaction)) if !is_from(&transaction, source) => {
                transaction.postings.iter().for_each(|posting| self.add(posting));
            }
            _ => {}
        }
        Ok(())
    }

    /// An account is there, and nothing is on it but what was added here.
    pub(super) fn opened(&mut self, address: &Address, normal_side: NormalSide) {
        if self.of.matches(address) {
            self.running
                .entry(address.clone())
                .or_insert(Running { normal_side, minor: 0 });
        }
    }

    fn add(&mut self, posting: &Posting) {
        let minor = posting.amount.minor();
        for (address, change) in [(&posting.debit, minor), (&posting.credit, -minor)] {
            if let Some(running) = self.running.get_mut(address) {
                running.minor += change;
            }
        }
    }

    /// A row is in the log at this position.
    pub(super) fn accepted(&mut self, line: u64, row: &Row, position: Position) {
        // An entry that stands in the file twice moved the money once.
        if !self.counted.insert(position) {
            return;
        }
        self.add(&row.posting);
        self.report.checked += 1;
        if let Err(problem) = self.compare(line, row) {
            self.report.mismatches += 1;
            if self.report.first_mismatches.len() < LISTED {
                self.report.first_mismatches.push(Mismatch { line, problem });
            }
        }
    }

    fn compare(&mut self, line: u64, row: &Row) -> Result<(), String> {
        let Posting {
            debit, credit, asset, ..
        } = &row.posting;
        let address = match (self.of.matches(debit), self.of.matches(credit)) {
            (true, false) => debit,
            (false, true) => credit,
            (true, true) => return Err(format!("both {debit} and {credit} could be the account of the balance")),
            (false, false) => return Err(format!("neither {debit} nor {credit} is the account of a balance")),
        };
        let text = row.printed.as_deref().unwrap_or_default();
        let printed = exact(text).ok_or_else(|| {
            let text: String = text.chars().take(64).collect();
            format!("the printed balance {text:?} is not a decimal number")
        })?;
        let Some(running) = self.running.get(address) else {
            return Err(format!("the balance of {address} before this import is not known"));
        };
        let minor = match running.normal_side {
            NormalSide::Debit => running.minor,
            NormalSide::Credit => -running.minor,
        };
        let balance = minor * scale_factor(*asset);
        let difference = (printed - balance).abs();
        if difference > self.worst {
            self.worst = difference;
            self.report.worst = Some(Difference {
                line,
                account: address.clone(),
                printed: text.to_owned(),
                exact: to_text(balance),
                difference: to_text(difference),
            });
        }
        if difference <= self.tolerance {
            return Ok(());
        }
        let (balance, difference) = (to_text(balance), to_text(difference));
        Err(format!(
            "{address} has {balance} {asset}, printed is {text}: off by {difference}"
        ))
    }

    pub(super) fn report(&self) -> BalanceReport {
        self.report.clone()
    }
}

fn is_from(transaction: &Transaction, source: &str) -> bool {
    let reference = transaction.reference.as_ref();
    reference.is_some_and(|reference| reference.kind == REFERENCE && reference.id == source)
}
