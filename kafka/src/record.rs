//! A record: the line of an event, and around it what lets programs choose without reading the line.

use crate::attributes::{CONTENT_TYPE, HEADER_PREFIX, UNIT_END};
use crate::partition::{self, Partition};
use rdkafka::message::{Header, Headers as _, Message, OwnedHeaders};
use uuid::Uuid;
use viral_store::line::{self, Line, LineError};
use viral_store::{Metadata, StoredEvent};

/// How many headers a record has at most.
const MAX_HEADERS: usize = 19;

/// A record to be sent.
#[derive(Debug)]
pub struct Record {
    /// Where it belongs.
    pub partition: Partition,
    /// `<aggregate type>/<aggregate id>`.
    pub key: String,
    /// The line.
    pub value: String,
    /// `content-type`, and each attribute of the line beside `data` as `ce_<name>`.
    pub headers: OwnedHeaders,
    /// When the event was recorded, in milliseconds since 1970.
    pub timestamp: i64,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The event.
    pub event: StoredEvent,
    /// The unit that it was appended in.
    pub unit: Uuid,
    /// The log that it says it is of.
    pub source: String,
    /// Whether its unit ends with it, as far as the record says.
    pub ends_unit: bool,
}

impl Record {
    /// The record of an event of the log `source`.
    pub fn of(event: &StoredEvent, source: &str, ends_unit: bool) -> Result<Record, LineError> {
        let metadata = event
            .parse_metadata()
            .map_err(|error| LineError::Malformed(format!("metadata: {error}")))?;
        Ok(Record {
            partition: Partition::of(&event.stream),
            key: partition::key(&event.stream),
            value: line::with_metadata(event, source, &metadata)?,
            headers: headers(event, source, &metadata, ends_unit),
            timestamp: event.recorded_at.timestamp_millis(),
        })
    }
}

fn headers(event: &StoredEvent, source: &str, metadata: &Metadata, ends_unit: bool) -> OwnedHeaders {
    let header = |headers: OwnedHeaders, key: &str, value: &str| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    };
    let mut headers = header(
        OwnedHeaders::new_with_capacity(MAX_HEADERS),
        "content-type",
        CONTENT_TYPE,
    );
    let mut key = String::with_capacity(32);
    for (name, value) in line::attributes(event, source, metadata) {
        key.clear();
        key.push_str(HEADER_PREFIX);
        key.push_str(name);
        headers = header(headers, &key, &value);
    }
    match ends_unit {
        true => header(headers, UNIT_END, "true"),
        false => headers,
    }
}

/// Reads a record of a partition back.
///
/// # Errors
/// What is wrong with it, in words: it is no line, not in canonical form, or in the wrong place.
pub fn decode(message: &impl Message, partition: Partition) -> Result<Decoded, String> {
    let bytes = message.payload().ok_or("the record has no value")?;
    let text = std::str::from_utf8(bytes).map_err(|error| format!("the value is no UTF-8: {error}"))?;
    let Line {
        event,
        metadata,
        source,
    } = line::parse(text).map_err(|error| error.to_string())?;
    let belongs = Partition::of(&event.stream);
    if belongs != partition {
        return Err(format!("position {} belongs in {belongs}", event.position));
    }
    let ends_unit = message.headers().is_some_and(|headers| {
        headers
            .iter()
            .any(|header| header.key == UNIT_END && header.value == Some(b"true"))
    });
    Ok(Decoded {
        event,
        unit: metadata.unit_id,
        source,
        ends_unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::{OwnedMessage, Timestamp};
    use viral_store::{Position, StreamId};

    const SOURCE: &str = "urn:viral:log:00000000-0000-4000-8000-000000000000";

    fn event() -> StoredEvent {
        let metadata = Metadata {
            actor: Some("tester".into()),
            unit_id: Uuid::from_u128(7),
            ..Metadata::default()
        };
        StoredEvent {
            position: Position(42),
            event_id: Uuid::from_u128(7),
            stream: StreamId::new("note", "a"),
            sequence: 1,
            event_type: "note.taken".into(),
            event_version: "1".into(),
            payload: r#"{"type":"note.taken"}"#.to_owned(),
            metadata: serde_json::to_string(&metadata).unwrap(),
            recorded_at: "2026-01-02T03:04:05.678901Z".parse().unwrap(),
        }
    }

    fn message(record: &Record, value: Option<Vec<u8>>) -> OwnedMessage {
        OwnedMessage::new(
            value,
            Some(record.key.clone().into_bytes()),
            record.partition.topic.to_owned(),
            Timestamp::CreateTime(record.timestamp),
            record.partition.number,
            0,
            Some(record.headers.clone()),
        )
    }

    #[test]
    fn a_record_is_read_back_and_its_headers_are_the_attributes() {
        let record = Record::of(&event(), SOURCE, true).unwrap();
        assert_eq!(record.key, "note/a");
        assert_eq!(record.timestamp, 1_767_323_045_678);
        let names: Vec<(String, String)> = record
            .headers
            .iter()
            .map(|header| {
                let value = String::from_utf8(header.value.unwrap().to_vec()).unwrap();
                (header.key.to_owned(), value)
            })
            .collect();
        assert_eq!(names[0], ("content-type".to_owned(), CONTENT_TYPE.to_owned()));
        assert!(
            names.contains(&("ce_position".to_owned(), "42".to_owned())),
            "{names:?}"
        );
        assert!(names.contains(&("ce_time".to_owned(), "2026-01-02T03:04:05.678901Z".to_owned())));
        assert!(!names.iter().any(|(name, _)| name == "ce_data"));
        assert!(names.len() <= MAX_HEADERS);

        let message = message(&record, Some(record.value.clone().into_bytes()));
        let decoded = decode(&message, record.partition).unwrap();
        assert_eq!(
            (decoded.event, decoded.source.as_str(), decoded.ends_unit),
            (event(), SOURCE, true)
        );
    }

    #[test]
    fn what_is_no_record_of_the_log_says_why() {
        let record = Record::of(&event(), SOURCE, false).unwrap();
        let other = Partition::all()
            .find(|partition| *partition != record.partition)
            .unwrap();
        let good = message(&record, Some(record.value.clone().into_bytes()));
        assert!(!decode(&good, record.partition).unwrap().ends_unit);
        assert!(decode(&good, other).unwrap_err().contains("position 42 belongs in"));
        for (value, problem) in [
            (None, "no value"),
            (Some(b"\xff".to_vec()), "UTF-8"),
            (Some(b"hello".to_vec()), "not an event line"),
            (Some(format!("{} ", record.value).into_bytes()), "canonical"),
        ] {
            let told = decode(&message(&record, value), record.partition).unwrap_err();
            assert!(told.contains(problem), "{told}");
        }
    }
}
