//! Stored events, read back: the one place that knows every type of event of the ledger and the domain.
//!
//! An event that this program does not know is told from one that is broken: a later version may have written it, and
//! whoever reads decides what that means. A read model passes it by, a decision does not.

#[cfg(test)]
mod tests;

use crate::acceptance::{AcceptanceEvent, Acceptances};
use crate::aggregate::{Aggregate, DomainEvent};
use crate::assignment::{Assignment, AssignmentEvent};
use crate::campaign::{Campaign, CampaignEvent};
use crate::effects::Effect;
use crate::fraud_flag::{FraudFlag, FraudFlagEvent};
use crate::on_ramp::{OnRamp, OnRampEvent};
use crate::payout::{Payout, PayoutEvent};
use crate::user::{Login, LoginEvent, User, UserEvent};
use serde_json::Value;
pub use viral_ledger::versions::{DecodeError, EventType, Versioned};
use viral_ledger::{BookEvent, ReversalEvent, versions};

/// What decoding asks of a stored event.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The type of its stream.
    pub aggregate_type: &'a str,
    /// The id of its stream.
    pub aggregate_id: &'a str,
    /// Its type.
    pub event_type: &'a str,
    /// The version that it was written in.
    pub version: &'a str,
    /// Its payload, JSON.
    pub payload: &'a str,
}

/// What is known of the events in the streams of one type.
struct Kind {
    aggregate_type: &'static str,
    types: &'static [EventType],
    read: fn(&Recorded<'_>) -> Result<Decoded, DecodeError>,
    respelled: fn(&Recorded<'_>) -> Option<serde_json::Result<Value>>,
}

/// One list makes the enum and the table, so neither can have what the other has not.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident($event:ident) in $aggregate_type:expr,)+) => {
        /// What happened.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Decoded {
            $($(#[$doc])* $variant($event),)+
        }

        const KINDS: &[Kind] = &[$(
            Kind {
                aggregate_type: $aggregate_type,
                types: $event::TYPES,
                read: |event| event.read_as().map(Decoded::$variant),
                respelled: |event| versions::respelled::<$event>(event.event_type, event.version, event.payload),
            },
        )+];

        impl Decoded {
            /// What it says, in the newest version.
            ///
            /// # Errors
            /// Never, for events that were decoded.
            pub fn to_json(&self) -> serde_json::Result<Value> {
                match self {
                    $(Decoded::$variant(event) => serde_json::to_value(event),)+
                }
            }

            /// The newest version, in which it would be written.
            pub fn version(&self) -> &'static str {
                match self {
                    $(Decoded::$variant(event) => event.version(),)+
                }
            }
        }
    };
}

kinds! {
    /// In the book.
    Book(BookEvent) in BookEvent::AGGREGATE_TYPE,
    /// Somebody wants a transaction undone.
    Reversal(ReversalEvent) in ReversalEvent::AGGREGATE_TYPE,
    /// To the log itself.
    Acceptance(AcceptanceEvent) in Acceptances::TYPE,
    /// To an assignment.
    Assignment(AssignmentEvent) in Assignment::TYPE,
    /// To a campaign.
    Campaign(CampaignEvent) in Campaign::TYPE,
    /// To a suspicion of fraud.
    FraudFlag(FraudFlagEvent) in FraudFlag::TYPE,
    /// To a login.
    Login(LoginEvent) in Login::TYPE,
    /// To a purchase of V-Coin.
    OnRamp(OnRampEvent) in OnRamp::TYPE,
    /// To a payout.
    Payout(PayoutEvent) in Payout::TYPE,
    /// To a user.
    User(UserEvent) in User::TYPE,
}

/// Reads a stored event, whatever the version it was written in.
pub fn decode(event: &Recorded<'_>) -> Result<Decoded, DecodeError> {
    if event.is_of_book() {
        return event.book().map(Decoded::Book);
    }
    match event.kind() {
        Some(kind) => (kind.read)(event),
        None => Err(DecodeError::unknown_type(event.event_type, event.version)),
    }
}

/// All types of events, by kind of stream.
pub fn types() -> Vec<EventType> {
    KINDS.iter().flat_map(|kind| kind.types).copied().collect()
}

/// Checks that every known type of event can be read in all its versions; for the start of a process.
pub fn check() -> Result<(), String> {
    versions::check(&types())
}

impl Recorded<'_> {
    fn kind(&self) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.aggregate_type == self.aggregate_type)
    }

    /// Whether it is an event of the ledger, or claims to be one: such an event may move money even if nobody here knows
    /// its type.
    pub fn is_of_book(&self) -> bool {
        self.aggregate_type == BookEvent::AGGREGATE_TYPE || self.event_type.starts_with("book.")
    }

    /// Whether there are streams of its kind, as far as this program knows.
    pub fn is_in_known_stream(&self) -> bool {
        self.kind().is_some()
    }

    /// Reads it as an event of one kind.
    pub fn read_as<E: Versioned>(&self) -> Result<E, DecodeError> {
        versions::read(self.event_type, self.version, self.payload)
    }

    /// Reads it as an event of the one book.
    pub fn book(&self) -> Result<BookEvent, DecodeError> {
        let (aggregate_type, id) = (self.aggregate_type, self.aggregate_id);
        if aggregate_type != BookEvent::AGGREGATE_TYPE {
            let problem = format!("an event of the book in the stream {aggregate_type}/{id}");
            return Err(DecodeError::Malformed(problem));
        }
        if id != BookEvent::AGGREGATE_ID {
            return Err(DecodeError::Malformed(format!("there is no book {id:?}")));
        }
        self.read_as()
    }

    /// The payload as the writer of its version spelled what it says. What was decoded of it has the newest version's.
    ///
    /// # Errors
    /// If the payload is not what that version writes.
    pub fn as_written(&self, decoded: &Decoded) -> serde_json::Result<Value> {
        let older = self.kind().and_then(|kind| (kind.respelled)(self));
        older.unwrap_or_else(|| decoded.to_json())
    }
}

impl Decoded {
    /// What it does to the ledger, in the same unit and in this order. Events of the book do what they say.
    pub fn effects(&self) -> Vec<Effect> {
        match self {
            Decoded::Book(_) | Decoded::Reversal(_) => Vec::new(),
            Decoded::Acceptance(event) => event.effects(),
            Decoded::Assignment(event) => event.effects(),
            Decoded::Campaign(event) => event.effects(),
            Decoded::FraudFlag(event) => event.effects(),
            Decoded::Login(event) => event.effects(),
            Decoded::OnRamp(event) => event.effects(),
            Decoded::Payout(event) => event.effects(),
            Decoded::User(event) => event.effects(),
        }
    }
}
