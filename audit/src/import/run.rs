//! The import as a whole: what must be right before it begins, and the file from its first row to its last.

use super::accounts::Accounts;
use super::balance_check::BalanceCheck;
use super::chunk::{Import, Line, Stop};
use super::columns::Columns;
use super::error::ImportError;
use super::options::Options;
use super::posting::Poster;
use super::records::Records;
use super::rejects::Rejects;
use super::report::Report;
use super::row;
use crate::error::AuditError;
use crate::input::{self, Input};
use crate::progress::{Progress, Unit};
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use viral_store::EventStore;

/// How much text the rows of a chunk may have together, so that even a file of nonsense needs little memory.
const CHUNK_BYTES: usize = 4 * 1_024 * 1_024;

/// Imports a journal. The error says why nothing was begun; whatever happens later is in the report.
pub async fn journal(
    file: &Path,
    options: &Options,
    store: &Arc<dyn EventStore>,
    poster: &dyn Poster,
    progress: &dyn Progress,
) -> Result<Report, ImportError> {
    let started = Instant::now();
    let source = options.source_of(file)?;
    let rejects = options.rejects_of(file)?;
    let accounts = Accounts::new(options)?;
    let mut check = options
        .check_balance
        .as_ref()
        .map(|_| BalanceCheck::new(options))
        .transpose()?;
    let unreadable = |error| ImportError::File {
        file: file.display().to_string(),
        error,
    };
    let Input { text, length, read } = input::open_text(file).map_err(unreadable)?;
    let mut records = Records::new(text);
    let (columns, printed) = header(file, &mut records, options)?;
    let head = store.head().await.map_err(AuditError::from)?.position;
    if let Some(check) = &mut check {
        check.load(store, head, &source, progress).await?;
    }
    progress.begin("importing", Unit::Bytes, length);
    let mut import = Import {
        strict: options.strict,
        patience: options.patience,
        printed,
        rejects: Rejects::new(rejects, columns.names.clone()),
        columns,
        accounts,
        check,
        poster,
        head,
        report: Report {
            source,
            ..Report::default()
        },
    };
    let tell = |rows: u64| {
        progress.advance(read.load(Ordering::Relaxed));
        progress.rows(rows);
    };
    let stopped = read_all(&mut import, &mut records, tell).await.err();
    Ok(import.finish(stopped, started.elapsed()))
}

/// Reads the first line. Answers what the columns are, and where the printed balance is.
fn header<R: BufRead>(
    file: &Path,
    records: &mut Records<R>,
    options: &Options,
) -> Result<(Columns, Option<usize>), ImportError> {
    let problem = |problem: String| ImportError::Header {
        file: file.display().to_string(),
        problem,
    };
    let record = records.next().map_err(|error| problem(error.to_string()))?;
    let record = record.ok_or_else(|| problem("the file is empty: the first line must name the columns".to_owned()))?;
    let columns = Columns::read(&record).map_err(problem)?;
    let Some(name) = &options.check_balance else {
        return Ok((columns, None));
    };
    match columns.place(name) {
        Some(place) => Ok((columns, Some(place))),
        None => Err(problem(format!(
            "there is no column {name:?} to check; found: {}",
            columns.names.join(", ")
        ))),
    }
}

/// Reads the file to its end, a chunk at a time.
async fn read_all<R: BufRead>(
    import: &mut Import<'_>,
    records: &mut Records<R>,
    tell: impl Fn(u64),
) -> Result<(), Stop> {
    let mut end = None;
    while end.is_none() {
        let mut lines = Vec::new();
        let mut bytes = 0;
        while end.is_none() && lines.len() < import.chunk_rows() && bytes < CHUNK_BYTES {
            match records.next() {
                Ok(Some(record)) => {
                    bytes += record.size();
                    let row = row::read(&record, &import.columns, &import.report.source, import.printed);
                    lines.push(Line { record, row });
                }
                Ok(None) => end = Some(Ok(())),
                Err(error) => end = Some(Err(Stop::new(&error.to_string()))),
            }
        }
        import.screen(&mut lines).await?;
        import.chunk(&lines).await?;
        tell(import.report.rows());
    }
    end.unwrap_or(Ok(()))
}
