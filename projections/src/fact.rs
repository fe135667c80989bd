//! From a stored event to a typed one. Whatever cannot be read is a bad event or an unknown one, here and nowhere else.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use viral_domain::decode::DecodeError;
use viral_domain::user::UserEvent;
use viral_domain::{Recorded, Sealed, decode};
use viral_store::{Position, StoredEvent};

/// Types of aggregates, as they stand in streams.
pub(crate) mod aggregate {
    use viral_domain::Aggregate as _;

    pub(crate) const BOOK: &str = viral_ledger::BookEvent::AGGREGATE_TYPE;
    pub(crate) const USER: &str = viral_domain::user::User::TYPE;
    pub(crate) const CAMPAIGN: &str = viral_domain::campaign::Campaign::TYPE;
    pub(crate) const ASSIGNMENT: &str = viral_domain::assignment::Assignment::TYPE;
    pub(crate) const PAYOUT: &str = viral_domain::payout::Payout::TYPE;
    pub(crate) const FRAUD_FLAG: &str = viral_domain::fraud_flag::FraudFlag::TYPE;
}

/// Why an event cannot be taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Problem(pub(crate) String);

/// What happened.
pub(crate) use viral_domain::Decoded as Fact;

/// An event as folds see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    /// Its place in the log.
    pub(crate) position: Position,
    /// Its id: for a transaction or a hold, theirs.
    pub(crate) id: Uuid,
    /// The aggregate that it happened to; nil for the book.
    pub(crate) aggregate: Uuid,
    /// When it was recorded.
    pub(crate) recorded_at: DateTime<Utc>,
    /// Who asked for it.
    pub(crate) actor: Option<String>,
    /// What happened.
    pub(crate) fact: Fact,
    /// What its sealed part says, if it has one and the key still exists.
    pub(crate) clear: Option<String>,
}

impl Event {
    /// Its sealed part.
    pub(crate) fn sealed(&self) -> Option<&Sealed> {
        match &self.fact {
            Fact::User(UserEvent::Registered(registered)) => Some(&registered.profile),
            Fact::User(UserEvent::ProfileChanged(changed)) => Some(&changed.profile),
            _ => None,
        }
    }
}

/// What decoding asks of an event of the log.
pub(crate) fn recorded(stored: &StoredEvent) -> Recorded<'_> {
    Recorded {
        aggregate_type: &stored.stream.aggregate_type,
        aggregate_id: &stored.stream.aggregate_id,
        event_type: &stored.event_type,
        version: &stored.event_version,
        payload: &stored.payload,
    }
}

/// Reads an event of an aggregate that some read model wants; nothing if it is of a type that this program does not know.
/// A program that knows it has a fold of another schema version, if the fold takes it in, and builds the tables anew.
///
/// An unknown version of a known type is a bad event: once the program is updated, what was parked is taken in. So is any
/// unknown event of the book, as it may have moved money.
pub(crate) fn read(stored: &StoredEvent) -> Result<Option<Event>, Problem> {
    let recorded = recorded(stored);
    let fact = match decode(&recorded) {
        Ok(fact) => fact,
        Err(DecodeError::UnknownType { .. }) if !recorded.is_of_book() => return Ok(None),
        Err(error) => return Err(Problem(error.to_string())),
    };
    let aggregate = match fact {
        Fact::Book(_) => Uuid::nil(),
        _ => stored
            .stream
            .aggregate_id
            .parse()
            .map_err(|_| Problem(format!("{} is no id", stored.stream.aggregate_id)))?,
    };
    let metadata = stored
        .parse_metadata()
        .map_err(|e| Problem(format!("the metadata cannot be read: {e}")))?;
    Ok(Some(Event {
        position: stored.position,
        id: stored.event_id,
        aggregate,
        recorded_at: stored.recorded_at,
        actor: metadata.actor.map(Into::into),
        fact,
        clear: None,
    }))
}
