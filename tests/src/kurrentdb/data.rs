//! What the fake stores, and when it agrees to store more.

use std::collections::HashMap;
use uuid::Uuid;

/// A record of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its id.
    pub id: Uuid,
    /// Its number in the stream, from 0.
    pub revision: u64,
    /// Its place among all records of the server.
    pub position: u64,
    /// `type`, `content-type` and, in 100 ns since 1970, `created`.
    pub metadata: HashMap<String, String>,
    /// Metadata of the user.
    pub custom_metadata: Vec<u8>,
    /// The content.
    pub data: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Data {
    pub(super) streams: HashMap<String, Vec<Recorded>>,
    pub(super) max_append_bytes: usize,
    pub(super) largest_append: usize,
    /// By how much the server's clock is ahead.
    pub(super) clock_ahead: std::time::Duration,
    records: u64,
}

impl Default for Data {
    fn default() -> Data {
        Data {
            streams: HashMap::new(),
            // The server's default.
            max_append_bytes: 1_024 * 1_024,
            largest_append: 0,
            clock_ahead: std::time::Duration::ZERO,
            records: 0,
        }
    }
}

/// The state that an append expects of its stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Expected {
    Any,
    NoStream,
    Exists,
    Revision(u64),
}

#[derive(Debug)]
pub(super) struct Proposed {
    pub(super) id: Uuid,
    pub(super) metadata: HashMap<String, String>,
    pub(super) custom_metadata: Vec<u8>,
    pub(super) data: Vec<u8>,
}

/// Where the stream ends now, or where it ends although something else was expected.
pub(super) enum Outcome {
    Written { revision: u64, position: u64 },
    WrongExpectedVersion { ends_at: Option<u64> },
    TooLarge,
}

impl Proposed {
    /// As the server counts: texts of types have two bytes to a character.
    fn size(&self) -> usize {
        let name = self.metadata.get("type").map_or(0, String::len);
        self.data.len() + self.custom_metadata.len() + 2 * name
    }
}

impl Data {
    pub(super) fn stream(&self, name: &str) -> &[Recorded] {
        self.streams.get(name).map_or(&[], Vec::as_slice)
    }

    /// At most `count` records from a revision on, and the last revision; nothing where there is no such stream.
    pub(super) fn page(&self, name: &str, from: u64, count: usize, forwards: bool) -> Option<(Vec<Recorded>, u64)> {
        let stream = self.stream(name);
        let last = stream.last()?.revision;
        let page = match forwards {
            true => {
                let start = stream.partition_point(|record| record.revision < from);
                stream[start..].iter().take(count).cloned().collect()
            }
            false => {
                let end = stream.partition_point(|record| record.revision <= from);
                stream[..end].iter().rev().take(count).cloned().collect()
            }
        };
        Some((page, last))
    }

    pub(super) fn append(&mut self, name: &str, expected: Expected, proposed: Vec<Proposed>) -> Outcome {
        let size = proposed.iter().map(Proposed::size).sum();
        if size > self.max_append_bytes {
            return Outcome::TooLarge;
        }
        let stream = self.streams.entry(name.to_owned()).or_default();
        let ends_at = stream.last().map(|last| last.revision);
        let holds = match expected {
            Expected::Any => true,
            Expected::NoStream => ends_at.is_none(),
            Expected::Exists => ends_at.is_some(),
            Expected::Revision(revision) => ends_at == Some(revision),
        };
        if !holds {
            return match repeated(stream, expected, &proposed) {
                Some((revision, position)) => Outcome::Written { revision, position },
                None => Outcome::WrongExpectedVersion { ends_at },
            };
        }
        self.largest_append = self.largest_append.max(size);
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let ticks = (since_1970.unwrap() + self.clock_ahead).as_nanos() / 100;
        let mut next = ends_at.map_or(0, |revision| revision + 1);
        for record in proposed {
            let mut metadata = record.metadata;
            metadata.insert("created".to_owned(), ticks.to_string());
            self.records += 1;
            stream.push(Recorded {
                id: record.id,
                revision: next,
                position: self.records,
                metadata,
                custom_metadata: record.custom_metadata,
                data: record.data,
            });
            next += 1;
        }
        let position = self.records;
        match next.checked_sub(1) {
            Some(revision) => Outcome::Written { revision, position },
            None => Outcome::WrongExpectedVersion { ends_at },
        }
    }
}

/// The server takes an append whose ids stand where it wants to write for the same one again, and agrees.
fn repeated(stream: &[Recorded], expected: Expected, proposed: &[Proposed]) -> Option<(u64, u64)> {
    let first = match expected {
        Expected::NoStream => 0,
        Expected::Revision(revision) => revision + 1,
        Expected::Any | Expected::Exists => return None,
    };
    let there = stream.iter().filter(|record| record.revision >= first);
    let there: Vec<&Recorded> = there.take(proposed.len()).collect();
    let ids = there.iter().map(|record| record.id);
    let last = there.last()?;
    let same = there.len() == proposed.len() && ids.eq(proposed.iter().map(|record| record.id));
    same.then_some((last.revision, last.position))
}
