//! What only the whole log shows: no id twice, every stream numbered 1, 2, 3 … without a gap.
//!
//! A map of all ids would grow with the log. Instead each event leaves two records of 32 bytes, one for its id and one
//! for its place in its stream, in one of 128 files by the last byte of the key. Equal keys meet in the same file, so
//! each file is sorted and looked through alone: memory holds a 128th of the records at a time.

use super::Finding;
use crate::error::AuditError;
use crate::progress::Progress;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use viral_ledger::BookEvent;
use viral_store::{Position, StoredEvent};

const BUCKETS: u8 = 128;

/// How many bytes of a bucket wait in memory before they are written: a small log never touches the disk.
const BUFFER: usize = 64 * 1_024;

const RECORD: usize = 32;

/// The order that brings together what is to be compared: ids and streams apart, then by key, then by position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Record {
    is_stream: bool,
    key: [u8; 16],
    position: u64,
    /// The sequence in the stream; 0 marks the record of an id.
    sequence: u64,
}

/// The records of all events so far.
pub(super) struct WholeLog {
    buckets: Vec<Bucket>,
}

#[derive(Default)]
struct Bucket {
    buffer: Vec<u8>,
    file: Option<File>,
}

impl Default for WholeLog {
    fn default() -> WholeLog {
        WholeLog {
            buckets: (0..BUCKETS).map(|_| Bucket::default()).collect(),
        }
    }
}

impl WholeLog {
    /// Keeps what is needed of an event.
    pub(super) fn add(&mut self, event: &StoredEvent) -> Result<(), AuditError> {
        let position = event.position.0;
        self.push(event.event_id.into_bytes(), position, 0)?;
        // The book's stream was numbered along the way; it is most of the log.
        if event.stream.aggregate_type != BookEvent::AGGREGATE_TYPE {
            self.push(stream_key(event), position, event.sequence)?;
        }
        Ok(())
    }

    fn push(&mut self, key: [u8; 16], position: u64, sequence: u64) -> Result<(), AuditError> {
        let index = usize::from(key[15] % BUCKETS);
        if let Some(bucket) = self.buckets.get_mut(index) {
            bucket.buffer.extend_from_slice(&key);
            bucket.buffer.extend_from_slice(&position.to_le_bytes());
            bucket.buffer.extend_from_slice(&sequence.to_le_bytes());
            if bucket.buffer.len() >= BUFFER {
                bucket.spill().map_err(temporary)?;
            }
        }
        Ok(())
    }

    /// Looks through everything; answers the first position that does not hold.
    pub(super) fn check(&mut self, progress: &dyn Progress) -> Result<Option<Finding>, AuditError> {
        let mut first: Option<Finding> = None;
        let mut done = 0;
        for bucket in std::mem::take(&mut self.buckets) {
            let records = bucket.into_records().map_err(temporary)?;
            let found = records.iter().enumerate().filter_map(|(index, record)| {
                let before = index.checked_sub(1).and_then(|before| records.get(before));
                problem(before, record).map(|problem| Finding {
                    position: Position(record.position),
                    problem,
                })
            });
            first = first.into_iter().chain(found).min_by_key(|finding| finding.position);
            done += records.iter().filter(|record| !record.is_stream).count() as u64;
            progress.advance(done);
        }
        Ok(first)
    }
}

/// What is wrong with a record, beside the one that stands before it in order.
fn problem(before: Option<&Record>, record: &Record) -> Option<String> {
    let before = before.filter(|before| before.is_stream == record.is_stream && before.key == record.key);
    if !record.is_stream {
        let first = before?.position;
        return Some(format!("its id is that of position {first} already"));
    }
    let last = before.map_or(0, |before| before.sequence);
    if last.checked_add(1) == Some(record.sequence) {
        return None;
    }
    Some(format!("sequence {} follows {last} in its stream", record.sequence))
}

/// The stream as 128 bits: the length of the first part keeps apart what would read the same when joined.
fn stream_key(event: &StoredEvent) -> [u8; 16] {
    let (kind, id) = (&event.stream.aggregate_type, &event.stream.aggregate_id);
    let mut hash = Sha256::new();
    hash.update((kind.len() as u64).to_le_bytes());
    hash.update(kind.as_bytes());
    hash.update(id.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

impl Bucket {
    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            // A file without a name: it is gone with the process, however that ends.
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn into_records(self) -> io::Result<Vec<Record>> {
        let mut bytes = Vec::new();
        if let Some(mut file) = self.file {
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(&mut bytes)?;
        }
        bytes.extend_from_slice(&self.buffer);
        let mut records: Vec<Record> = bytes.chunks_exact(RECORD).filter_map(Record::read).collect();
        drop(bytes);
        records.sort_unstable();
        Ok(records)
    }
}

impl Record {
    fn read(bytes: &[u8]) -> Option<Record> {
        let sequence = u64::from_le_bytes(bytes.get(24..32)?.try_into().ok()?);
        Some(Record {
            is_stream: sequence != 0,
            key: bytes.get(..16)?.try_into().ok()?,
            position: u64::from_le_bytes(bytes.get(16..24)?.try_into().ok()?),
            sequence,
        })
    }
}

fn temporary(error: io::Error) -> AuditError {
    AuditError::Temporary {
        folder: std::env::temp_dir().display().to_string(),
        error,
    }
}
