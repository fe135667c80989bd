//! The unit: what is appended all or nothing.

use std::borrow::Cow;
use uuid::Uuid;
use viral_domain::Window;
use viral_ledger::Command;
use viral_store::line::LineError;
use viral_store::{Position, StoredEvent, StreamId, canonical};

/// Events, guards and ledger commands that happen together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The unit's id, which its first event takes over. A unit of the same id is appended once.
    pub id: Uuid,
    /// Tells a retry from another request with the same id.
    pub request_hash: Option<String>,
    /// Who asks: a pseudonymous id.
    pub actor: Option<String>,
    /// The request or process that it belongs to.
    pub correlation_id: Option<String>,
    /// The event that it follows from.
    pub causation_id: Option<String>,
    /// Streams that must not have moved.
    pub guards: Vec<Guard>,
    /// From when until when what was decided for it holds. It is recorded in this window or not at all.
    pub window: Window,
    /// What happens, in this order.
    pub parts: Vec<Part>,
}

/// A stream that must be at a sequence, though nothing is appended to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// Which stream.
    pub stream: StreamId,
    /// The sequence of its last event; 0 for none.
    pub sequence: u64,
}

/// A part of a unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Events of one stream.
    Events {
        /// Which stream.
        stream: StreamId,
        /// The sequence of its last event so far; 0 for none.
        expected: u64,
        /// What to append, at least one.
        events: Vec<NewEvent>,
    },
    /// A command to the ledger, which becomes one event of the book.
    Ledger {
        /// The event's id, where it derives from something; fresh if absent. The first event of a unit has the unit's
        /// id and says none of its own.
        id: Option<Uuid>,
        /// What to do.
        command: Command,
    },
    /// The hash of the book's state after everything before.
    Snapshot,
}

impl Part {
    /// The stream whose sequence it depends on.
    pub(crate) fn stream(&self) -> Option<&StreamId> {
        match self {
            Part::Events { stream, .. } => Some(stream),
            Part::Ledger { .. } | Part::Snapshot => None,
        }
    }
}

/// An event to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id, where it derives from something; fresh if absent. The first event of a unit has the unit's id and says
    /// none of its own.
    pub id: Option<Uuid>,
    /// What happened.
    pub event_type: Cow<'static, str>,
    /// The version of its schema.
    pub event_version: Cow<'static, str>,
    /// A JSON object in canonical form, tagged by `type`.
    pub payload: String,
}

impl NewEvent {
    /// An event with this payload.
    pub fn new<T: serde::Serialize>(
        event_type: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
        payload: &T,
    ) -> Result<NewEvent, LineError> {
        Ok(NewEvent {
            id: None,
            event_type: event_type.into(),
            event_version: version.into(),
            payload: canonical::to_text(payload).map_err(|e| LineError::Malformed(e.to_string()))?,
        })
    }
}

impl Unit {
    /// A unit of these parts.
    pub fn new(id: Uuid, parts: Vec<Part>) -> Unit {
        Unit {
            id,
            request_hash: None,
            actor: None,
            correlation_id: None,
            causation_id: None,
            guards: Vec::new(),
            window: Window::default(),
            parts,
        }
    }

    /// A unit that is one ledger command.
    pub fn ledger(id: Uuid, command: Command) -> Unit {
        Unit::new(id, vec![Part::Ledger { id: None, command }])
    }

    /// Adds the hash of the request.
    pub fn with_request_hash(mut self, hash: impl Into<String>) -> Unit {
        self.request_hash = Some(hash.into());
        self
    }

    /// Adds who asks.
    pub fn with_actor(mut self, actor: impl Into<String>) -> Unit {
        self.actor = Some(actor.into());
        self
    }

    /// All streams whose sequence matters.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &StreamId> {
        let of_parts = self.parts.iter().filter_map(Part::stream);
        self.guards.iter().map(|guard| &guard.stream).chain(of_parts)
    }

    /// The unit's id and all ids that its events must have.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Uuid> {
        let of_parts = self.parts.iter().flat_map(|part| match part {
            Part::Events { events, .. } => events.iter().filter_map(|event| event.id).collect::<Vec<_>>(),
            Part::Ledger { id, .. } => id.iter().copied().collect(),
            Part::Snapshot => Vec::new(),
        });
        std::iter::once(self.id).chain(of_parts)
    }
}

/// Where a unit is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The position of its first event.
    pub position: Position,
    /// Whether it had been appended before.
    pub duplicate: bool,
}

/// A unit that is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was appended just now.
    Appended(Vec<StoredEvent>),
    /// It had been appended before, by the same request: these are its events.
    Duplicate(Vec<StoredEvent>),
}

impl Outcome {
    /// The unit's events; at least one.
    pub fn events(&self) -> &[StoredEvent] {
        match self {
            Outcome::Appended(events) | Outcome::Duplicate(events) => events,
        }
    }

    /// Whether it had been appended before.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Outcome::Duplicate(_))
    }
}
