//! Taking lines in: each must be canonical, of the same log, and the next one.

use super::index::Unsorted;
use super::lines::Growing;
use super::{Copied, End, SpooledLog};
use crate::continuity::Continuity;
use crate::event::Position;
use crate::line::{self, Line, LineError};
use crate::port::Head;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Why a line was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It is not the canonical line of an event.
    #[error("{0}")]
    Line(#[from] LineError),
    /// It belongs to another log.
    #[error("it is of the log {found}, the lines before it are of {expected}")]
    OtherLog {
        /// The source that it names.
        found: String,
        /// The source that the first line names.
        expected: String,
    },
    /// A log has no gap, and no position twice.
    #[error("it has position {found}, but {expected} must come here{}", hint(*found, *expected))]
    NotNext {
        /// Its position.
        found: Position,
        /// The position after the line before it.
        expected: Position,
    },
    /// The temporary file cannot be written or read.
    #[error("a temporary file in {folder} cannot be used: {error}; set TMPDIR to a folder with more room")]
    Temporary {
        /// Where it is.
        folder: String,
        /// What the system says.
        error: io::Error,
    },
}

fn hint(found: Position, expected: Position) -> &'static str {
    match (found < expected, expected.0) {
        (true, _) => ": that position was there already",
        (false, 1) => ": a log begins at 1, so this is only a part of one",
        (false, _) => ": what is between is missing",
    }
}

impl SpoolError {
    /// Whether the line is at fault. Otherwise it is this machine, and the same line may be taken another time.
    pub fn is_of_the_line(&self) -> bool {
        !matches!(self, SpoolError::Temporary { .. })
    }
}

/// Makes a [`SpooledLog`], line by line.
#[derive(Debug)]
pub struct SpoolWriter {
    lines: Growing,
    ids: Unsorted,
    source: Option<String>,
    head: Head,
    folder: String,
}

impl SpoolWriter {
    /// An empty copy, whose temporary file lies in this folder, else in that of the system (`TMPDIR`).
    pub fn new(folder: Option<&Path>) -> Result<SpoolWriter, SpoolError> {
        let name = folder
            .map_or_else(std::env::temp_dir, Path::to_owned)
            .display()
            .to_string();
        let file = match folder {
            Some(folder) => tempfile::tempfile_in(folder),
            None => tempfile::tempfile(),
        };
        let file = file.map_err(temporary(&name))?;
        Ok(SpoolWriter {
            lines: Growing::new(file),
            ids: Unsorted::default(),
            source: None,
            head: Head::EMPTY,
            folder: name,
        })
    }

    /// The position that the next line must have.
    pub fn next(&self) -> Position {
        Position(self.lines.count() + 1)
    }

    /// Takes the next line, without a line break. After an error the copy is as it was before.
    ///
    /// # Errors
    /// See [`SpoolError`]. That times do not go back, and everything that needs to understand the events, is left to
    /// whoever verifies the copy.
    pub fn push(&mut self, line: &str) -> Result<(), SpoolError> {
        let Line { event, source, .. } = line::parse(line)?;
        match &self.source {
            Some(expected) if *expected != source => {
                let expected = expected.clone();
                return Err(SpoolError::OtherLog {
                    found: source,
                    expected,
                });
            }
            _ => {}
        }
        let (found, expected) = (event.position, self.next());
        if found != expected {
            return Err(SpoolError::NotNext { found, expected });
        }
        self.lines.push(line).map_err(temporary(&self.folder))?;
        self.ids.add(event.event_id, event.position.0);
        self.source.get_or_insert(source);
        self.head = self.head.after(std::slice::from_ref(&event));
        Ok(())
    }

    /// Whether this very line was taken before: what carries lines may carry one twice.
    pub fn has(&mut self, line: &str) -> Result<bool, SpoolError> {
        match line::parse(line)?.event.position.0.checked_sub(1) {
            Some(index) if index < self.lines.count() => self.lines.is(index, line).map_err(temporary(&self.folder)),
            _ => Ok(false),
        }
    }

    /// The copy. It ends with the last line that was taken.
    pub fn finish(self) -> Result<SpooledLog, SpoolError> {
        self.end(End::Whole)
    }

    /// The copy of lines that end in the middle of one. The event there cannot be read: `problem` is what it says.
    pub fn finish_cut(self, problem: impl Into<String>) -> Result<SpooledLog, SpoolError> {
        self.end(End::Cut(problem.into()))
    }

    /// The copy up to a line that could not be taken, or is missing. The event there cannot be read: `problem` is what
    /// it says.
    pub fn finish_damaged(self, problem: impl Into<String>) -> Result<SpooledLog, SpoolError> {
        self.end(End::Damaged(problem.into()))
    }

    fn end(self, end: End) -> Result<SpooledLog, SpoolError> {
        let copy = Copied {
            lines: self.lines.finish().map_err(temporary(&self.folder))?,
            ids: self.ids.sort(),
            source: self.source.unwrap_or_default(),
            head: self.head,
            end,
            continuity: Continuity::default(),
        };
        Ok(SpooledLog { copy: Arc::new(copy) })
    }
}

fn temporary(folder: &str) -> impl FnOnce(io::Error) -> SpoolError {
    let folder = folder.to_owned();
    move |error| SpoolError::Temporary { folder, error }
}
