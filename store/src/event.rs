//! Events as they are stored: the envelope around a payload that the store does not look into.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use uuid::Uuid;

/// A place in the log. The first event has position 1; position 0 is before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event.
    pub const START: Position = Position(0);

    /// The position after this one.
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The events of one aggregate, numbered from 1.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// What kind of aggregate.
    pub aggregate_type: Cow<'static, str>,
    /// Which one.
    pub aggregate_id: Cow<'static, str>,
}

impl StreamId {
    /// The stream of an aggregate.
    pub fn new(aggregate_type: impl Into<Cow<'static, str>>, aggregate_id: impl Into<Cow<'static, str>>) -> StreamId {
        StreamId {
            aggregate_type: aggregate_type.into(),
            aggregate_id: aggregate_id.into(),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.aggregate_type, self.aggregate_id)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is known about an event beside its payload: a flat map of strings, the extensions of its line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    // In the order of their names: that is the canonical order.
    /// Who asked for it: a pseudonymous id, never an e-mail or an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Cow<'static, str>>,
    /// The event that caused it.
    #[serde(default, rename = "causationid", skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Cow<'static, str>>,
    /// The request or process that it belongs to.
    #[serde(default, rename = "correlationid", skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<Cow<'static, str>>,
    /// When it takes effect, if that is not when it was recorded.
    #[serde(default, rename = "effectivetime", skip_serializing_if = "Option::is_none")]
    pub effective_time: Option<Cow<'static, str>>,
    /// The hash of the request, to tell a retry from another request with the same key.
    #[serde(default, rename = "requesthash", skip_serializing_if = "Option::is_none")]
    pub request_hash: Option<Cow<'static, str>>,
    /// The unit that it was appended with: the id of the unit's first event.
    #[serde(rename = "unitid")]
    pub unit_id: Uuid,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its id, unique in the log.
    pub event_id: Uuid,
    /// The stream that it belongs to.
    pub stream: StreamId,
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// What happened, `book.transaction_posted`.
    pub event_type: Cow<'static, str>,
    /// The version of its schema.
    pub event_version: Cow<'static, str>,
    /// A JSON object in canonical form.
    pub payload: String,
    /// [`Metadata`] as a JSON object in canonical form.
    pub metadata: String,
    /// When it was recorded, in whole microseconds; never before the event at the position before.
    pub recorded_at: DateTime<Utc>,
}

impl StoredEvent {
    /// Reads the metadata.
    pub fn parse_metadata(&self) -> Result<Metadata, serde_json::Error> {
        serde_json::from_str(&self.metadata)
    }
}

/// The text of a time in the log: RFC 3339 in UTC with six fraction digits.
pub fn time_text(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
