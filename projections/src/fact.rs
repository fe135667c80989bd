//! From a stored event to a typed one. Whatever cannot be read is a bad event, here and nowhere else.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use uuid::Uuid;
use viral_domain::assignment::AssignmentEvent;
use viral_domain::campaign::CampaignEvent;
use viral_domain::fraud_flag::FraudFlagEvent;
use viral_domain::payout::PayoutEvent;
use viral_domain::user::UserEvent;
use viral_domain::{DomainEvent, Sealed};
use viral_ledger::BookEvent;
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
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    Book(BookEvent),
    User(UserEvent),
    Campaign(CampaignEvent),
    Assignment(AssignmentEvent),
    Payout(PayoutEvent),
    FraudFlag(FraudFlagEvent),
}

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

/// Reads an event of an aggregate that some read model wants.
pub(crate) fn read(stored: &StoredEvent) -> Result<Event, Problem> {
    let (fact, event_type) = match &*stored.stream.aggregate_type {
        aggregate::BOOK => {
            let event: BookEvent = payload(stored, BookEvent::VERSION)?;
            let event_type = event.event_type();
            (Fact::Book(event), event_type)
        }
        aggregate::USER => domain(stored, Fact::User)?,
        aggregate::CAMPAIGN => domain(stored, Fact::Campaign)?,
        aggregate::ASSIGNMENT => domain(stored, Fact::Assignment)?,
        aggregate::PAYOUT => domain(stored, Fact::Payout)?,
        aggregate::FRAUD_FLAG => domain(stored, Fact::FraudFlag)?,
        other => return Err(Problem(format!("aggregates of type {other} are not known"))),
    };
    if event_type != stored.event_type {
        return Err(Problem(format!(
            "the event is of type {}, its payload of type {event_type}",
            stored.event_type
        )));
    }
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
    Ok(Event {
        position: stored.position,
        id: stored.event_id,
        aggregate,
        recorded_at: stored.recorded_at,
        actor: metadata.actor.map(Into::into),
        fact,
        clear: None,
    })
}

fn domain<E: DomainEvent>(stored: &StoredEvent, fact: fn(E) -> Fact) -> Result<(Fact, &'static str), Problem> {
    let event: E = payload(stored, E::VERSION)?;
    let event_type = event.event_type();
    Ok((fact(event), event_type))
}

/// The payload of an event of this version.
pub(crate) fn payload<E: DeserializeOwned>(stored: &StoredEvent, version: &str) -> Result<E, Problem> {
    if stored.event_version != version {
        let (event_type, found) = (&stored.event_type, &stored.event_version);
        return Err(Problem(format!("version {found} of {event_type} is not known")));
    }
    serde_json::from_str(&stored.payload).map_err(|e| Problem(format!("the payload cannot be read: {e}")))
}
