//! Records: what the log looks like to somebody who opens the stream in KurrentDB's own browser.
//!
//! Record 0 says which log this is. Every other one holds the events of a batch, or of a part of one: a JSON array with
//! one canonical line to a row, and metadata with the positions of the first and the last. A record is written by one
//! append, so it is there as a whole or not at all.

use crate::error::StoreError;
use crate::event::{Position, StoredEvent};
use crate::line::{self, Line};
use crate::units;
use kurrentdb::{EventData, RecordedEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::ops::Range;
use uuid::Uuid;

/// The type of record 0.
pub(super) const HEADER: &str = "viral.log";
/// The type of every other record.
pub(super) const BATCH: &str = "viral.batch";

/// The only format there is.
const FORMAT: u32 = 1;

const OPEN: &str = "[\n";
const BETWEEN: &str = ",\n";
const CLOSE: &str = "\n]";

/// What a record has beside its lines, at most: brackets, type and metadata, as the server counts them.
pub(super) const OVERHEAD: usize = 256;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    log: Uuid,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Positions {
    first: u64,
    last: u64,
}

/// A part of a batch that fits into one append.
pub(super) struct Part {
    /// Which of the batch's events.
    pub(super) range: Range<usize>,
    body: String,
}

/// Record 0 of a new log.
pub(super) fn header(log: Uuid) -> Result<EventData, StoreError> {
    let data = EventData::json(HEADER, &Header { format: FORMAT, log }).map_err(unwritable)?;
    Ok(data.id(Uuid::now_v7()))
}

/// Reads record 0: which log this is.
pub(super) fn log_id(stream: &str, record: &RecordedEvent) -> Result<Uuid, StoreError> {
    let problem = |problem: String| damaged(stream, record.revision, &problem);
    if record.revision != 0 {
        return Err(problem(
            "record 0 is missing: the stream was deleted or truncated".to_owned(),
        ));
    }
    if record.event_type != HEADER {
        return Err(problem(format!(
            "a record of type {:?} where {HEADER} should be",
            record.event_type
        )));
    }
    let header: Header = serde_json::from_slice(&record.data).map_err(|e| problem(e.to_string()))?;
    match header.format {
        FORMAT => Ok(header.log),
        newer => Err(StoreError::Setup(format!(
            "the log in the stream {stream} has format {newer}, which this program does not know: it is older than the log"
        ))),
    }
}

/// Divides a batch into parts of at most `limit` bytes, between units, and writes their lines. A unit that is larger
/// stays whole: the writer refuses such a unit before it comes here.
pub(super) fn split(events: &[StoredEvent], source: &str, limit: usize) -> Result<Vec<Part>, StoreError> {
    let mut parts: Vec<Part> = Vec::new();
    let mut start = 0;
    for unit in events.chunk_by(|a, b| units::unit(a) == units::unit(b)) {
        let mut lines = Vec::with_capacity(unit.len());
        for event in unit {
            lines.push(line::to_line(event, source).map_err(unwritable)?);
        }
        let text = lines.join(BETWEEN);
        let end = start + unit.len();
        match parts.last_mut() {
            Some(part) if part.body.len() + BETWEEN.len() + text.len() + OVERHEAD <= limit => {
                part.body.push_str(BETWEEN);
                part.body.push_str(&text);
                part.range.end = end;
            }
            _ => {
                let body = [OPEN, &text].concat();
                parts.push(Part {
                    range: start..end,
                    body,
                });
            }
        }
        start = end;
    }
    Ok(parts)
}

impl Part {
    /// The record. Its id must be fresh: the server takes an id that it has already at this place for the same append and
    /// agrees without writing, so an id must never stand for two contents.
    pub(super) fn record(mut self, id: Uuid, events: &[StoredEvent]) -> Result<EventData, StoreError> {
        self.body.push_str(CLOSE);
        let positions = positions(events).ok_or_else(|| StoreError::Corrupt("a record without events".to_owned()))?;
        let body = RawValue::from_string(self.body).map_err(unwritable)?;
        let data = EventData::json(BATCH, &body).map_err(unwritable)?;
        let data = data.metadata_as_json(&positions).map_err(unwritable)?;
        Ok(data.id(id))
    }
}

fn positions(events: &[StoredEvent]) -> Option<Positions> {
    Some(Positions {
        first: events.first()?.position.0,
        last: events.last()?.position.0,
    })
}

/// The last position of a record, as it says itself.
pub(super) fn last_position(stream: &str, record: &RecordedEvent) -> Result<Position, StoreError> {
    if record.revision == 0 {
        return Ok(Position::START);
    }
    let positions = serde_json::from_slice::<Positions>(&record.custom_metadata);
    let positions = positions.map_err(|e| damaged(stream, record.revision, &format!("metadata: {e}")))?;
    Ok(Position(positions.last))
}

/// Reads a record back into its events. Every line must be canonical and of this log.
pub(super) fn events(stream: &str, source: &str, record: &RecordedEvent) -> Result<Vec<StoredEvent>, StoreError> {
    let problem = |problem: String| damaged(stream, record.revision, &problem);
    if record.event_type != BATCH {
        let text = format!("a record of type {:?}, which is none of ours", record.event_type);
        return Err(problem(text));
    }
    let text = std::str::from_utf8(&record.data).map_err(|e| problem(e.to_string()))?;
    let lines = text
        .strip_prefix(OPEN)
        .and_then(|rest| rest.strip_suffix(CLOSE))
        .ok_or_else(|| problem("not an array with one line to a row".to_owned()))?;
    let mut events = Vec::new();
    // A canonical line has no line break in it: it would be escaped.
    for (n, line) in lines.split(BETWEEN).enumerate() {
        let Line { event, source: of, .. } = line::parse(line).map_err(|e| problem(format!("row {}: {e}", n + 1)))?;
        if of != source {
            return Err(problem(format!("row {}: an event of {of}, not of {source}", n + 1)));
        }
        events.push(event);
    }
    let claimed: Positions =
        serde_json::from_slice(&record.custom_metadata).map_err(|e| problem(format!("metadata: {e}")))?;
    if positions(&events).as_ref() != Some(&claimed) {
        let text = format!(
            "its metadata says positions {} to {}, its rows others",
            claimed.first, claimed.last
        );
        return Err(problem(text));
    }
    Ok(events)
}

/// A record that no sound program of ours wrote, or that was changed since.
pub(super) fn damaged(stream: &str, revision: u64, problem: &str) -> StoreError {
    StoreError::Corrupt(format!("stream {stream}, record {revision}: {problem}"))
}

fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("an event cannot be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Metadata, StreamId};

    const SOURCE: &str = "urn:viral:log:00000000-0000-4000-8000-000000000000";

    fn unit(first: u64, count: u64, text: &str) -> Vec<StoredEvent> {
        let id = Uuid::from_u128(u128::from(first));
        let metadata = Metadata {
            unit_id: id,
            ..Metadata::default()
        };
        let event = |n| StoredEvent {
            position: Position(first + n),
            event_id: Uuid::from_u128(u128::from(first + n)),
            stream: StreamId::new("note", "a"),
            sequence: first + n,
            event_type: "note.taken".into(),
            event_version: "1".into(),
            payload: format!(r#"{{"text":"{text}","type":"note.taken"}}"#),
            metadata: serde_json::to_string(&metadata).unwrap(),
            recorded_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        (0..count).map(event).collect()
    }

    #[test]
    fn parts_end_between_units_and_keep_to_the_limit() {
        let text = "x".repeat(1_000);
        let events = [
            unit(1, 2, &text),
            unit(3, 1, &text),
            unit(4, 3, &text),
            unit(7, 1, "short"),
        ]
        .concat();
        let ranges = |limit| {
            let parts = split(&events, SOURCE, limit).unwrap();
            for part in &parts {
                let units = events[part.range.clone()]
                    .chunk_by(|a, b| units::unit(a) == units::unit(b))
                    .count();
                assert!(units == 1 || part.body.len() + OVERHEAD <= limit);
            }
            parts.into_iter().map(|part| part.range).collect::<Vec<_>>()
        };
        assert_eq!(ranges(1_000_000), vec![0..7; 1]);
        assert_eq!(ranges(6_500), [0..3, 3..7]);
        assert_eq!(ranges(1), [0..2, 2..3, 3..6, 6..7]);
    }
}
