//! The line: an event outside the store, as one CloudEvents 1.0 JSON object in RFC 8785 canonical form on one line.
//!
//! Payload and metadata are spliced in as the text that is stored, never parsed and printed again: the bytes of the
//! line are what is published, exported and hashed.

use crate::canonical::{NotCanonical, push_string};
use crate::event::{Metadata, Position, StoredEvent, StreamId, time_text};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use uuid::Uuid;

/// The longest line, in bytes.
pub const MAX_LENGTH: usize = 65_535;

/// Why a line could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Longer than [`MAX_LENGTH`].
    #[error("the event is too large: its line would have {0} bytes, {MAX_LENGTH} are allowed")]
    TooLong(usize),
    /// Not the JSON object that a line is.
    #[error("not an event line: {0}")]
    Malformed(String),
    /// The right object, spelled in another way.
    #[error("the line is not in canonical form (RFC 8785): byte {at} differs")]
    NotCanonical {
        /// The first byte that differs, from 0.
        at: usize,
    },
}

/// The attributes of the line beside `data`, in the order of their names (RFC 8785): what is known about an event
/// without looking into its payload.
pub fn attributes<'a>(
    event: &'a StoredEvent,
    source: &'a str,
    metadata: &'a Metadata,
) -> impl Iterator<Item = (&'static str, Cow<'a, str>)> {
    let schema = format!("urn:viral:event:{}:{}", event.event_type, event.event_version);
    let borrowed = |text: &'a str| Some(Cow::Borrowed(text));
    let optional = |text: &'a Option<Cow<'static, str>>| text.as_deref().map(Cow::Borrowed);
    let all = [
        ("actor", optional(&metadata.actor)),
        ("aggregatetype", borrowed(&event.stream.aggregate_type)),
        ("causationid", optional(&metadata.causation_id)),
        ("correlationid", optional(&metadata.correlation_id)),
        ("dataschema", Some(Cow::Owned(schema))),
        ("effectivetime", optional(&metadata.effective_time)),
        ("id", Some(Cow::Owned(event.event_id.to_string()))),
        ("position", Some(Cow::Owned(event.position.to_string()))),
        ("requesthash", optional(&metadata.request_hash)),
        ("sequence", Some(Cow::Owned(event.sequence.to_string()))),
        ("source", borrowed(source)),
        ("specversion", borrowed("1.0")),
        ("subject", borrowed(&event.stream.aggregate_id)),
        ("time", Some(Cow::Owned(time_text(&event.recorded_at)))),
        ("type", borrowed(&event.event_type)),
        ("unitid", Some(Cow::Owned(metadata.unit_id.to_string()))),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

/// The line of an event, without a line break. `source` is the log's `urn:viral:log:<uuid>`.
pub fn to_line(event: &StoredEvent, source: &str) -> Result<String, LineError> {
    let metadata = event
        .parse_metadata()
        .map_err(|e| LineError::Malformed(format!("metadata: {e}")))?;
    with_metadata(event, source, &metadata)
}

/// As [`to_line`], for whoever has read the event's metadata already.
pub fn with_metadata(event: &StoredEvent, source: &str, metadata: &Metadata) -> Result<String, LineError> {
    let mut line = String::with_capacity(event.payload.len() + event.metadata.len() + 640);
    let mut separator = '{';
    for (name, value) in attributes(event, source, metadata) {
        // `data` has its place among the names, and its text is spliced in as it is stored.
        if name == "dataschema" {
            line.push_str(",\"data\":");
            line.push_str(&event.payload);
        }
        line.push(separator);
        separator = ',';
        line.push('"');
        line.push_str(name);
        line.push_str("\":");
        push_string(&mut line, &value);
    }
    line.push('}');
    if line.len() > MAX_LENGTH {
        return Err(LineError::TooLong(line.len()));
    }
    Ok(line)
}

/// A length that the line of an event does not exceed, quickly: everything beside payload and metadata is short.
pub fn at_most(event: &StoredEvent) -> usize {
    let texts = [
        &event.stream.aggregate_type,
        &event.stream.aggregate_id,
        &event.event_type,
        &event.event_version,
    ];
    let names: usize = texts.iter().map(|text| text.len()).sum();
    event.payload.len() + event.metadata.len() + 6 * names + 1_024
}

/// Refuses an event whose line would be too long.
pub fn check_length(event: &StoredEvent, source: &str) -> Result<(), LineError> {
    // Only where it comes close the line is made to be measured.
    if at_most(event) <= MAX_LENGTH {
        return Ok(());
    }
    to_line(event, source).map(|_| ())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    actor: Option<String>,
    aggregatetype: String,
    causationid: Option<String>,
    correlationid: Option<String>,
    #[serde(borrow)]
    data: &'a RawValue,
    dataschema: String,
    effectivetime: Option<String>,
    id: Uuid,
    position: String,
    requesthash: Option<String>,
    sequence: String,
    source: String,
    specversion: String,
    subject: String,
    time: DateTime<Utc>,
    #[serde(rename = "type")]
    event_type: String,
    unitid: Uuid,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The event.
    pub event: StoredEvent,
    /// Its metadata, which the event has as text.
    pub metadata: Metadata,
    /// The log that it is of, `urn:viral:log:<uuid>`.
    pub source: String,
}

/// Reads a line back. Only the one canonical spelling is accepted.
pub fn parse(text: &str) -> Result<Line, LineError> {
    let line = read(text)?;
    // All of it: what is nested too deeply for the whole line is not.
    crate::canonical::check_object(text).map_err(|error| match error {
        NotCanonical::OtherText { at } => LineError::NotCanonical { at },
        other => LineError::Malformed(other.to_string()),
    })?;
    if !line.event.payload.starts_with('{') {
        return Err(LineError::Malformed("data is not a JSON object".to_owned()));
    }
    let canonical = with_metadata(&line.event, &line.source, &line.metadata)?;
    if canonical != text {
        let at = text.bytes().zip(canonical.bytes()).take_while(|(a, b)| a == b).count();
        return Err(LineError::NotCanonical { at });
    }
    Ok(line)
}

/// Reads a line that [`parse`] has accepted before: how it is spelled is not looked at again.
pub(crate) fn read(line: &str) -> Result<Line, LineError> {
    let malformed = |problem: String| LineError::Malformed(problem);
    if line.len() > MAX_LENGTH {
        return Err(LineError::TooLong(line.len()));
    }
    let fields: Fields<'_> = serde_json::from_str(line).map_err(|e| malformed(e.to_string()))?;
    if fields.specversion != "1.0" {
        return Err(malformed("specversion is not 1.0".to_owned()));
    }
    let number = |name: &str, text: &str| {
        text.parse::<u64>()
            .map_err(|_| malformed(format!("{name} {text:?} is not a decimal number")))
    };
    let position = match number("position", &fields.position)? {
        0 => return Err(malformed("position 0 is before the first event".to_owned())),
        position => Position(position),
    };
    let version = fields
        .dataschema
        .strip_prefix("urn:viral:event:")
        .and_then(|rest| rest.strip_prefix(&fields.event_type))
        .and_then(|rest| rest.strip_prefix(':'))
        .ok_or_else(|| malformed("dataschema does not fit the type".to_owned()))?;
    let metadata = Metadata {
        actor: fields.actor.map(Cow::Owned),
        causation_id: fields.causationid.map(Cow::Owned),
        correlation_id: fields.correlationid.map(Cow::Owned),
        effective_time: fields.effectivetime.map(Cow::Owned),
        request_hash: fields.requesthash.map(Cow::Owned),
        unit_id: fields.unitid,
    };
    let event = StoredEvent {
        position,
        event_id: fields.id,
        sequence: number("sequence", &fields.sequence)?,
        event_version: version.to_owned().into(),
        payload: fields.data.get().to_owned(),
        metadata: serde_json::to_string(&metadata).map_err(|e| malformed(e.to_string()))?,
        recorded_at: fields.time,
        stream: StreamId::new(fields.aggregatetype, fields.subject),
        event_type: fields.event_type.into(),
    };
    Ok(Line {
        event,
        metadata,
        source: fields.source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "urn:viral:log:00000000-0000-4000-8000-000000000000";

    fn event() -> StoredEvent {
        let metadata = Metadata {
            actor: Some("tester".into()),
            unit_id: Uuid::from_u128(7),
            request_hash: Some("ab".into()),
            ..Metadata::default()
        };
        StoredEvent {
            position: Position(42),
            event_id: Uuid::from_u128(7),
            stream: StreamId::new("book", "main"),
            sequence: 41,
            event_type: "book.something".into(),
            event_version: "1".into(),
            payload: r#"{"note":"a \"quoted\" é","type":"book.something"}"#.to_owned(),
            metadata: serde_json::to_string(&metadata).unwrap(),
            recorded_at: "2026-01-02T03:04:05.5Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_line_is_canonical_and_read_back() {
        let line = to_line(&event(), SOURCE).unwrap();
        crate::canonical::check_object(&line).unwrap();
        assert!(line.contains(r#""time":"2026-01-02T03:04:05.500000Z""#), "{line}");
        let read = parse(&line).unwrap();
        assert_eq!((&read.event, read.source.as_str()), (&event(), SOURCE));
        assert_eq!(read.metadata, event().parse_metadata().unwrap());
    }

    #[test]
    fn other_spellings_are_refused() {
        let line = to_line(&event(), SOURCE).unwrap();
        for (from, to) in [
            ("\"position\":\"42\"", "\"position\":\"042\""),
            ("\"position\":\"42\"", "\"position\": \"42\""),
            ("\"position\":\"42\"", "\"position\":\"0\""),
            (".500000Z", ".5Z"),
            ("{\"note\"", "{ \"note\""),
            (r#"{"note":"a \"quoted\" é","type":"book.something"}"#, "null"),
            ("\"specversion\":\"1.0\"", "\"specversion\":\"1.1\""),
            ("\"type\":\"book.something\"}", "\"extra\":1}"),
        ] {
            let other = line.replace(from, to);
            assert_ne!(other, line, "{from}");
            assert!(parse(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_line_has_a_longest_length() {
        let mut long = event();
        long.payload = format!(r#"{{"note":"{}"}}"#, "x".repeat(MAX_LENGTH));
        assert!(matches!(check_length(&long, SOURCE), Err(LineError::TooLong(_))));
        assert_eq!(check_length(&event(), SOURCE), Ok(()));
        assert!(to_line(&event(), SOURCE).unwrap().len() <= at_most(&event()));
    }
}
