//! The lines in their temporary file, one behind the other without a break, and where each of them ends.

use crate::error::StoreError;
use crate::event::StoredEvent;
use crate::line;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

/// How many bytes are written or read at once, and one line more.
const SPAN: u64 = 1 << 20;

/// Lines that can be read from any place.
#[derive(Debug)]
pub(super) struct Lines {
    file: File,
    /// Where line n ends, which is where line n + 1 begins.
    ends: Vec<u64>,
}

/// Lines that more are added to.
#[derive(Debug)]
pub(super) struct Growing {
    lines: Lines,
    /// What is not in the file yet: whole lines.
    buffer: Vec<u8>,
}

impl Growing {
    pub(super) fn new(file: File) -> Growing {
        Growing {
            lines: Lines { file, ends: Vec::new() },
            buffer: Vec::new(),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.lines.count()
    }

    pub(super) fn push(&mut self, line: &str) -> io::Result<()> {
        self.buffer.extend_from_slice(line.as_bytes());
        let end = self.lines.start(self.count()) + line.len() as u64;
        self.lines.ends.push(end);
        if self.buffer.len() as u64 >= SPAN {
            self.flush()?;
        }
        Ok(())
    }

    /// Whether the line at this place, from 0, has these bytes.
    pub(super) fn is(&mut self, index: u64, line: &str) -> io::Result<bool> {
        self.flush()?;
        let bytes = self.lines.bytes(index..index + 1)?;
        Ok(bytes == line.as_bytes())
    }

    pub(super) fn finish(mut self) -> io::Result<Lines> {
        self.flush()?;
        Ok(self.lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Lines {
    pub(super) fn count(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The events of the lines at these places, from 0. Places behind the last line are nothing.
    pub(super) fn read(&self, places: Range<u64>) -> Result<Vec<StoredEvent>, StoreError> {
        let end = places.end.min(self.count());
        let mut events = Vec::new();
        let mut at = places.start;
        while at < end {
            // As many lines as fit, but one in any case.
            let start = self.start(at);
            let fit = (at + 1..end).take_while(|next| self.start(next + 1) - start <= SPAN);
            let until = fit.last().unwrap_or(at) + 1;
            let bytes = self.bytes(at..until).map_err(unreadable)?;
            let mut rest = &bytes[..];
            for place in at..until {
                let length = usize::try_from(self.start(place + 1) - self.start(place)).unwrap_or(usize::MAX);
                let (line, others) = rest.split_at_checked(length).unwrap_or((rest, &[]));
                events.push(event(line)?);
                rest = others;
            }
            at = until;
        }
        Ok(events)
    }

    fn bytes(&self, places: Range<u64>) -> io::Result<Vec<u8>> {
        let (start, end) = (self.start(places.start), self.start(places.end));
        let length = usize::try_from(end - start).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }

    /// Where the line at this place begins.
    fn start(&self, place: u64) -> u64 {
        let before = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
        before.and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }
}

/// They were lines when they were written: anything else is a fault of the disk.
fn event(line: &[u8]) -> Result<StoredEvent, StoreError> {
    let text = std::str::from_utf8(line).map_err(unreadable)?;
    Ok(line::read(text).map_err(unreadable)?.event)
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("the temporary file of the copy cannot be read: {error}"))
}
