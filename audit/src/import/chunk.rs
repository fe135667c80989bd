//! A chunk of rows: handed over in the order of the file, and what became of each.

use super::accounts::Accounts;
use super::balance_check::BalanceCheck;
use super::columns::Columns;
use super::posting::{Entry, PostResult, Poster};
use super::records::Record;
use super::rejects::Rejects;
use super::report::Report;
use super::row::Row;
use super::send::{Pauses, send};
use std::collections::HashSet;
use std::time::Duration;
use viral_ledger::Address;
use viral_store::Position;

/// How many rows are handed over at once.
const CHUNK: usize = 512;

/// So many bad rows before the first good one, and the file is not what it should be: the list of rejects must not fill
/// the disk.
const HOPELESS: u64 = 100_000;

/// Why the import ends before the end of the file.
pub(super) struct Stop(String);

impl Stop {
    pub(super) fn new(problem: &str) -> Stop {
        Stop(format!(
            "{problem}; what was posted before is kept: run the import again to go on"
        ))
    }
}

/// A row of the file, with what it says or why it says nothing.
pub(super) struct Line {
    pub(super) record: Record,
    pub(super) row: Result<Row, String>,
}

/// An import under way.
pub(super) struct Import<'a> {
    pub(super) strict: bool,
    pub(super) patience: Duration,
    pub(super) columns: Columns,
    /// The place of the printed balance.
    pub(super) printed: Option<usize>,
    pub(super) accounts: Accounts,
    pub(super) check: Option<BalanceCheck>,
    pub(super) poster: &'a dyn Poster,
    pub(super) rejects: Rejects,
    /// The end of the log when the import began.
    pub(super) head: Position,
    pub(super) report: Report,
}

impl Import<'_> {
    /// Rows behind a bad one must not be posted with `--strict`, and only the ledger may know that it is bad.
    pub(super) fn chunk_rows(&self) -> usize {
        if self.strict { 1 } else { CHUNK }
    }

    /// Refuses rows that are spelt as no identifier may be, unless the log has them: then mending them would post them
    /// a second time.
    pub(super) async fn screen(&self, lines: &mut [Line]) -> Result<(), Stop> {
        for line in lines {
            let Ok(Row {
                entry_id,
                misspelt: Some(problem),
                ..
            }) = &line.row
            else {
                continue;
            };
            let mut pauses = Pauses::new(self.patience);
            let known = loop {
                match self.poster.knows(&self.report.source, entry_id).await {
                    Ok(known) => break known,
                    Err(error) if error.retryable && pauses.next().await => {}
                    Err(error) => return Err(Stop::new(&error.reason)),
                }
            };
            if !known {
                line.row = Err(problem.clone());
            }
        }
        Ok(())
    }

    /// Posts rows in order. A row whose account an earlier one opens waits for that one's answer: it may be refused,
    /// and then the account is still to be opened.
    pub(super) async fn chunk(&mut self, lines: &[Line]) -> Result<(), Stop> {
        let rows = lines.iter().filter_map(|line| line.row.as_ref().ok());
        self.look_up(self.accounts.unknown(rows)).await?;
        let mut start = 0;
        let mut opening: HashSet<&Address> = HashSet::new();
        for (index, line) in lines.iter().enumerate() {
            let Ok(row) = &line.row else { continue };
            if row.addresses().into_iter().any(|address| opening.contains(address)) {
                self.post(lines.get(start..index).unwrap_or_default()).await?;
                start = index;
                opening.clear();
            }
            opening.extend(
                row.addresses()
                    .into_iter()
                    .filter(|address| !self.accounts.exists(address)),
            );
        }
        self.post(lines.get(start..).unwrap_or_default()).await
    }

    async fn look_up(&mut self, addresses: Vec<Address>) -> Result<(), Stop> {
        let mut pauses = Pauses::new(self.patience);
        while !addresses.is_empty() {
            match self.poster.existing(addresses.clone()).await {
                Ok(existing) => {
                    self.accounts.learn(existing);
                    break;
                }
                Err(error) if error.retryable && pauses.next().await => {}
                Err(error) => return Err(Stop::new(&error.reason)),
            }
        }
        Ok(())
    }

    /// Posts rows none of which waits for another, and takes in what became of each.
    async fn post(&mut self, lines: &[Line]) -> Result<(), Stop> {
        let rows = lines.iter().filter_map(|line| line.row.as_ref().ok());
        let entries = rows.map(|row| self.entry(row)).collect();
        let mut results = send(self.poster, entries, self.head, self.patience).await.into_iter();
        let mut stop = None;
        for line in lines {
            let outcome = match &line.row {
                Err(reason) => self.refuse(line, reason),
                Ok(row) => match results.next() {
                    Some(PostResult::AccountExists) => self.post_again(line, row).await,
                    Some(result) => self.settle(line, row, result),
                    None => Err(Stop::new("not all rows were answered")),
                },
            };
            // What follows in this chunk may be in the log all the same: it is counted before the import stops.
            stop = stop.or(outcome.err());
        }
        stop.map_or(Ok(()), Err)
    }

    /// Somebody else opened an account of the row since it was looked up: it is looked up again.
    async fn post_again(&mut self, line: &Line, row: &Row) -> Result<(), Stop> {
        self.look_up(self.accounts.unknown(std::iter::once(row))).await?;
        let result = send(self.poster, vec![self.entry(row)], self.head, self.patience)
            .await
            .pop();
        self.settle(line, row, result.unwrap_or(PostResult::AccountExists))
    }

    fn entry(&self, row: &Row) -> Entry {
        Entry {
            source: self.report.source.clone(),
            entry_id: row.entry_id.clone(),
            content: row.content.clone(),
            open: self.accounts.to_open(row),
            transaction: row.transaction.clone(),
        }
    }

    fn settle(&mut self, line: &Line, row: &Row, result: PostResult) -> Result<(), Stop> {
        let reason = match result {
            PostResult::Posted(position) => {
                self.report.posted += 1;
                self.report.accounts_opened += self.accounts.to_open(row).len() as u64;
                self.accept(line, row, position);
                return Ok(());
            }
            PostResult::Duplicate(position) => {
                self.report.duplicates += 1;
                self.accept(line, row, position);
                return Ok(());
            }
            PostResult::Unavailable(reason) | PostResult::Failed(reason) => return Err(Stop::new(&reason)),
            PostResult::Refused(reason) => reason,
            PostResult::AccountExists => "its accounts are being opened elsewhere: import it again".to_owned(),
            PostResult::Reused(position) => {
                let (id, source) = (&row.entry_id, &self.report.source);
                format!("entry_id: {id} of {source} is in the log already with other content, at position {position}")
            }
        };
        self.refuse(line, &reason)
    }

    /// The row is in the log, and so are its accounts.
    fn accept(&mut self, line: &Line, row: &Row, position: Position) {
        if let Some(check) = &mut self.check {
            for account in self.accounts.to_open(row) {
                check.opened(&account.address, account.normal_side);
            }
            check.accepted(line.record.line, row, position);
        }
        self.accounts.learn(row.addresses().into_iter().cloned());
    }

    fn refuse(&mut self, line: &Line, reason: &str) -> Result<(), Stop> {
        self.report.refuse(line.record.line, reason);
        self.rejects
            .add(&line.record, reason)
            .map_err(|error| self.rejects.unwritable(&error))?;
        if self.strict {
            let line = line.record.line;
            return Err(Stop::new(&format!(
                "line {line}: {reason}: --strict stops at the first bad row"
            )));
        }
        if self.report.refused >= HOPELESS && self.report.posted + self.report.duplicates == 0 {
            return Err(Stop::new(&format!(
                "the first {HOPELESS} rows were all refused, the last because: {reason}; is this the right file?"
            )));
        }
        Ok(())
    }

    /// Closes the books of the import.
    pub(super) fn finish(mut self, stopped: Option<Stop>, elapsed: Duration) -> Report {
        let rejects = self.rejects.finish().map_err(|error| self.rejects.unwritable(&error));
        let (rejects, unwritable) = match rejects {
            Ok(rejects) => (rejects, None),
            Err(stop) => (None, Some(stop)),
        };
        Report {
            rejects,
            balances: self.check.as_ref().map(BalanceCheck::report),
            stopped: stopped.or(unwritable).map(|Stop(problem)| problem),
            seconds: elapsed.as_secs_f64(),
            rows: self.report.rows(),
            ..self.report
        }
    }
}
