//! A log from a file of lines, as `viral export events` writes them.
//!
//! The file is read once, into a [`SpooledLog`]. A line that does not belong there ends the log and is its last event,
//! which cannot be read: so a verification names it, after everything that is wrong before it, and a replay stops at it.

use crate::input::{self, Input};
use crate::progress::{Progress, Unit};
use std::io::{self, BufRead, Read as _};
use std::path::Path;
use std::sync::atomic::Ordering;
use viral_store::{SpoolError, SpoolWriter, SpooledLog, line};

/// After how many lines other tasks get their turn, and progress is told.
const PAGE: u64 = 2_048;

/// Why a file of lines is no log at all.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The file cannot be opened or read.
    #[error("{file}: {error}")]
    File {
        /// Which file.
        file: String,
        /// What the system says.
        error: io::Error,
    },
    /// There is nothing in it.
    #[error("{0} is empty: the lines of a log are expected, as `viral export events` writes them")]
    Empty(String),
    /// The lines cannot be kept.
    #[error("{0}")]
    Spool(#[from] SpoolError),
}

/// Reads a file, plain or gzip; `-` is standard input.
///
/// # Errors
/// When the file cannot be read or is empty, or there is no room for the copy. What is wrong with a line is no error:
/// the log ends there, with an event that cannot be read.
pub async fn spool(file: &Path, progress: &dyn Progress) -> Result<SpooledLog, LinesError> {
    let is_stdin = file.as_os_str() == "-";
    let name = match is_stdin {
        true => "standard input".to_owned(),
        false => file.display().to_string(),
    };
    let unreadable = |error| LinesError::File {
        file: name.clone(),
        error,
    };
    let opened = if is_stdin { input::stdin() } else { input::open(file) };
    let Input { mut text, length, read } = opened.map_err(unreadable)?;
    progress.begin("reading the lines", Unit::Bytes, length);
    let mut writer = SpoolWriter::new(None)?;
    let mut number = 0;
    loop {
        let taken = next(text.as_mut(), number + 1, &mut writer)?;
        match taken {
            Taken::Line => number += 1,
            Taken::Nothing if number == 0 => return Err(LinesError::Empty(name)),
            Taken::Nothing => return Ok(writer.finish()?),
            Taken::Cut(problem) => return Ok(writer.finish_cut(problem)?),
            Taken::Damaged(problem) => return Ok(writer.finish_damaged(problem)?),
            Taken::Unreadable(error) => return Err(unreadable(error)),
        }
        if number % PAGE == 0 {
            progress.advance(read.load(Ordering::Relaxed));
            tokio::task::yield_now().await;
        }
    }
}

/// What came next.
enum Taken {
    Line,
    /// The file is over.
    Nothing,
    Cut(String),
    Damaged(String),
    Unreadable(io::Error),
}

/// Takes one line, and never more bytes than a line may have.
fn next(text: &mut dyn BufRead, number: u64, writer: &mut SpoolWriter) -> Result<Taken, SpoolError> {
    let mut bytes = Vec::new();
    let longest = line::MAX_LENGTH as u64 + 1;
    match text.take(longest + 1).read_until(b'\n', &mut bytes) {
        Ok(0) => return Ok(Taken::Nothing),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let problem = format!("line {number}: {}", input::cut(error));
            return Ok(Taken::Cut(problem));
        }
        Err(error) => return Ok(Taken::Unreadable(error)),
    }
    let damaged = |problem: String| Ok(Taken::Damaged(format!("line {number}: {problem}")));
    if bytes.pop_if(|last| *last == b'\n').is_none() {
        return match bytes.len() as u64 > longest {
            true => damaged(format!("it has more than {} bytes", line::MAX_LENGTH)),
            // Even if it can be read: whoever cut the file off did not stop between two events.
            false => Ok(Taken::Cut(format!(
                "line {number}: it does not end with a line break, so the file was cut off in it"
            ))),
        };
    }
    let line = match std::str::from_utf8(&bytes) {
        Ok(line) => line,
        Err(error) => return damaged(format!("byte {} is not UTF-8", error.valid_up_to() + 1)),
    };
    match writer.push(line) {
        Ok(()) => Ok(Taken::Line),
        Err(error) if error.is_of_the_line() => damaged(error.to_string()),
        Err(error) => Err(error),
    }
}
