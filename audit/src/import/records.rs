//! CSV records (RFC 4180) with the line on which each begins.
//!
//! The `csv` crate reads the same records (a property test compares them), but it cannot tell that the last one was cut
//! off, counts lines loosely, and collects an endless record until memory is full. Money needs the first two, and files
//! that are no CSV at all need the third.

use std::io::{self, BufRead};

/// The longest record, in bytes. No row that fits in an event comes near it.
pub(super) const MAX_RECORD: usize = 1_024 * 1_024;

/// One record: its fields without quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    bytes: Vec<u8>,
    /// Where each field ends.
    ends: Vec<usize>,
}

/// Why there is no further record.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// No line break at the end: nobody knows whether the last field is complete.
    #[error("line {line}: the file ends in the middle of this row{}", .hint)]
    Cut { line: u64, hint: &'static str },
    #[error("line {line}: a row of more than 1 MiB: is a quote left open, or is this no CSV file?")]
    TooLong { line: u64 },
    #[error("line {line}: the compressed data end too early: the file was cut off")]
    CompressedCut { line: u64 },
    #[error("line {line}: the file cannot be read: {error}")]
    Io { line: u64, error: io::Error },
}

impl Record {
    /// How many fields it has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field.
    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .map_or(0, |end| *end);
        self.bytes.get(start..end)
    }

    /// All fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// How much memory it takes, roughly.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + size_of::<usize>() * self.ends.len()
    }

    fn end_field(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

/// Where in a record the reader is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote within quotes: the end of them, or the first of two that stand for one.
    QuoteInQuotes,
}

/// Reads records one by one.
pub(super) struct Records<R> {
    input: R,
    line: u64,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(input: R) -> Records<R> {
        Records { input, line: 1 }
    }

    /// The next record; none at the end. Empty lines are left out.
    pub(super) fn next(&mut self) -> Result<Option<Record>, RecordError> {
        let mut record = Record {
            line: self.line,
            ..Record::default()
        };
        let mut at = At::FieldStart;
        let mut length = 0;
        // A carriage return right before, outside of quotes: a part of the line break if one follows.
        let mut carriage_return = false;
        let mut quoted = false;
        loop {
            let line = record.line;
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(RecordError::CompressedCut { line });
                }
                Err(error) => return Err(RecordError::Io { line, error }),
            };
            if buffer.is_empty() {
                return end_of_file(line, length, at);
            }
            let mut used = 0;
            let mut complete = false;
            for &byte in buffer {
                used += 1;
                if byte == b'\n' {
                    self.line += 1;
                    if at != At::Quoted {
                        complete = true;
                        break;
                    }
                }
                at = take(&mut record, at, byte);
                carriage_return = byte == b'\r' && at == At::Plain;
                quoted |= at == At::Quoted;
            }
            self.input.consume(used);
            length += used;
            if complete {
                if carriage_return {
                    record.bytes.pop();
                }
                // Two quotes make an empty field, which is a record of its own; nothing at all is an empty line.
                let empty_line = record.ends.is_empty() && record.bytes.is_empty() && !quoted;
                if !empty_line {
                    record.end_field();
                    return Ok(Some(record));
                }
                record.line = self.line;
                (at, length, carriage_return) = (At::FieldStart, 0, false);
            } else if length > MAX_RECORD {
                return Err(RecordError::TooLong { line });
            }
        }
    }
}

/// Takes one byte of a record, and says where the reader is then.
fn take(record: &mut Record, at: At, byte: u8) -> At {
    match (at, byte) {
        (At::FieldStart, b'"') => return At::Quoted,
        (At::Quoted, b'"') => return At::QuoteInQuotes,
        (At::FieldStart | At::Plain | At::QuoteInQuotes, b',') => {
            record.end_field();
            return At::FieldStart;
        }
        _ => record.bytes.push(byte),
    }
    match (at, byte) {
        (At::Quoted, _) | (At::QuoteInQuotes, b'"') => At::Quoted,
        _ => At::Plain,
    }
}

fn end_of_file(line: u64, length: usize, at: At) -> Result<Option<Record>, RecordError> {
    if length == 0 {
        return Ok(None);
    }
    let hint = match at {
        At::Quoted => ": a quote is left open",
        _ => ": if the row is complete, end it with a line break",
    };
    Err(RecordError::Cut { line, hint })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn read(text: &[u8]) -> (Vec<(u64, Vec<String>)>, Option<RecordError>) {
        // A buffer of three bytes, so that every state is met at the end of one.
        let mut records = Records::new(BufReader::with_capacity(3, text));
        let mut found = Vec::new();
        loop {
            match records.next() {
                Ok(Some(record)) => {
                    let fields = record.fields().map(|field| String::from_utf8_lossy(field).into_owned());
                    found.push((record.line, fields.collect()));
                }
                Ok(None) => return (found, None),
                Err(error) => return (found, Some(error)),
            }
        }
    }

    #[test]
    fn lines_are_counted_through_quotes_and_empty_lines() {
        let (records, error) = read(b"a,b\r\n\n\r\n\"x\ny\",\"q\"\"q\"\n,\n\"\"\nz\"z,\"a\"b\n");
        assert!(error.is_none());
        let expected: [(u64, &[&str]); 5] = [
            (1, &["a", "b"]),
            (4, &["x\ny", "q\"q"]),
            (6, &["", ""]),
            (7, &[""]),
            (8, &["z\"z", "ab"]),
        ];
        let found: Vec<(u64, Vec<&str>)> = records
            .iter()
            .map(|(line, fields)| (*line, fields.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(found, expected.map(|(line, fields)| (line, fields.to_vec())));
    }

    #[test]
    fn a_last_row_without_a_line_break_is_cut() {
        for (text, line, hint) in [
            (&b"a,b\n1,2"[..], 2, "end it with a line break"),
            (b"a,b\n1,\"2\n", 2, "a quote is left open"),
            (b"a,b\n1,2\n3,4\r", 3, "end it with a line break"),
        ] {
            let error = read(text).1.unwrap();
            assert!(
                matches!(error, RecordError::Cut { line: found, .. } if found == line),
                "{error}"
            );
            assert!(error.to_string().contains(hint), "{error}");
        }
    }

    #[test]
    fn an_endless_row_is_refused_before_it_fills_the_memory() {
        let mut endless = Records::new(BufReader::new(io::Read::chain(&b"a\n\""[..], io::repeat(b'x'))));
        assert_eq!(endless.next().unwrap().unwrap().line, 1);
        assert!(matches!(endless.next(), Err(RecordError::TooLong { line: 2 })));
    }

    proptest! {
        #[test]
        fn records_are_those_of_the_csv_crate(text in "[a\",\n]{0,30}", crlf in any::<bool>()) {
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<Vec<String>> =
                reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            let (found, error) = read(text.as_bytes());
            let found: Vec<Vec<String>> = found.into_iter().map(|(_, fields)| fields).collect();
            // It takes a row that was cut off for a complete one.
            let complete = expected.len() - usize::from(error.is_some());
            prop_assert_eq!(&found[..], &expected[..complete]);
        }
    }
}
