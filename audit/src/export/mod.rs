//! Exports: the log as lines, or as a journal that accounting programs read.
//!
//! Everything streams: what is kept in memory is a page of events, the approvals of open payouts and, for some formats,
//! the names of accounts. The
//! writers are called from the task itself; a slow one slows the export down and nothing else.

mod approvals;
mod beancount;
mod entry;
mod hledger;
mod journal_csv;
pub mod names;

use crate::as_of::AsOf;
use crate::decode;
use crate::error::AuditError;
use crate::progress::Progress;
use crate::replay::{each_event, each_event_after};
use approvals::Approvals;
use entry::{Entry, JournalWriter};
use std::fmt;
use std::io::{BufWriter, Write};
use std::str::FromStr;
use std::sync::Arc;
use viral_ledger::BookEvent;
use viral_store::{EventStore, Position, line};

/// How a journal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The plain text of hledger, 1.25 or later.
    Hledger,
    /// The plain text of beancount, version 3.
    Beancount,
    /// One row per side of a posting, for spreadsheets and audit software.
    Csv,
}

/// A format of another name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a journal format: use hledger, beancount or csv")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Format, UnknownFormat> {
        match text {
            "hledger" => Ok(Format::Hledger),
            "beancount" => Ok(Format::Beancount),
            "csv" => Ok(Format::Csv),
            _ => Err(UnknownFormat(text.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Hledger => "hledger",
            Format::Beancount => "beancount",
            Format::Csv => "csv",
        })
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Lines of events, or transactions of a journal.
    pub entries: u64,
    /// The last position of the log that was looked at.
    pub position: Position,
}

/// Writes the events after a position, up to a moment, as lines.
pub async fn events(
    store: &Arc<dyn EventStore>,
    after: Position,
    as_of: AsOf,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<Exported, AuditError> {
    let up_to = as_of.resolve(store.as_ref()).await?;
    let mut out = BufWriter::new(out);
    let mut entries = 0;
    each_event_after(store, after, up_to, progress, &mut |event| {
        let mut line = line::to_line(event, store.source()).map_err(|e| AuditError::broken(event.position, e))?;
        line.push('\n');
        entries += 1;
        out.write_all(line.as_bytes()).map_err(AuditError::Output)
    })
    .await?;
    out.flush().map_err(AuditError::Output)?;
    Ok(Exported {
        entries,
        position: up_to,
    })
}

/// Writes every transaction up to a moment as a journal.
pub async fn journal(
    store: &Arc<dyn EventStore>,
    as_of: AsOf,
    format: Format,
    out: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<Exported, AuditError> {
    let up_to = as_of.resolve(store.as_ref()).await?;
    let mut writer = writer(format, out).map_err(AuditError::Output)?;
    let mut approvals = Approvals::default();
    let mut entries = 0;
    each_event(store, up_to, progress, |event| {
        let broken = |problem| AuditError::broken(event.position, problem);
        approvals.read(event)?;
        match decode::book(event)? {
            Some(BookEvent::AccountOpened(opened)) => writer.account(&opened).map_err(AuditError::Output),
            Some(BookEvent::TransactionPosted(transaction)) => {
                let metadata = event.parse_metadata().map_err(|e| broken(format!("metadata: {e}")))?;
                entries += 1;
                writer.entry(&Entry {
                    event,
                    actor: metadata.actor.as_deref(),
                    approvals: &approvals.take(event.event_id),
                    transaction: &transaction,
                })
            }
            _ => Ok(()),
        }
    })
    .await?;
    writer.flush().map_err(AuditError::Output)?;
    Ok(Exported {
        entries,
        position: up_to,
    })
}

fn writer<'a>(format: Format, out: &'a mut (dyn Write + Send)) -> std::io::Result<Box<dyn JournalWriter + Send + 'a>> {
    Ok(match format {
        Format::Hledger => Box::new(hledger::Hledger::new(BufWriter::new(out))?),
        Format::Beancount => Box::new(beancount::Beancount::new(BufWriter::new(out))?),
        Format::Csv => Box::new(journal_csv::JournalCsv::new(out)?),
    })
}
