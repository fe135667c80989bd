//! Events of the domain, read from their stored form.

use serde::Deserialize;
use viral_domain::assignment::Assignment;
use viral_domain::campaign::Campaign;
use viral_domain::fraud_flag::FraudFlag;
use viral_domain::on_ramp::OnRamp;
use viral_domain::payout::Payout;
use viral_domain::user::{Login, User};
use viral_domain::{Aggregate, DomainEvent, Effect};
use viral_store::{StoredEvent, canonical};

/// What every event of the domain tells, whatever its aggregate.
pub(crate) struct Decoded {
    /// What it does to the ledger.
    pub(crate) effects: Vec<Effect>,
    /// Whether the payload is the text that the platform writes for this event.
    pub(crate) is_as_written: bool,
}

/// What an event of the domain says, if this is one; an error if it claims to be one and is none. Streams of types that
/// the domain does not know are somebody else's.
pub(crate) fn decode(event: &StoredEvent) -> Result<Option<Decoded>, String> {
    let decode = match &*event.stream.aggregate_type {
        Assignment::TYPE => decode_as::<Assignment>,
        Campaign::TYPE => decode_as::<Campaign>,
        FraudFlag::TYPE => decode_as::<FraudFlag>,
        Login::TYPE => decode_as::<Login>,
        OnRamp::TYPE => decode_as::<OnRamp>,
        Payout::TYPE => decode_as::<Payout>,
        User::TYPE => decode_as::<User>,
        _ => return Ok(None),
    };
    decode(event).map(Some)
}

fn decode_as<A: Aggregate>(event: &StoredEvent) -> Result<Decoded, String> {
    let read = read::<A>(event)?;
    check_subject::<A>(event)?;
    check_who(event)?;
    Ok(Decoded {
        effects: read.effects(),
        is_as_written: canonical::to_text(&read).is_ok_and(|text| text == event.payload),
    })
}

/// The ids of aggregates that a payload names, each under the same name in all events.
#[derive(Deserialize)]
struct Named<'a> {
    assignment: Option<&'a str>,
    campaign: Option<&'a str>,
    flag: Option<&'a str>,
    offer: Option<Offer<'a>>,
    on_ramp: Option<&'a str>,
    payout: Option<&'a str>,
    user: Option<&'a str>,
}

#[derive(Deserialize)]
struct Offer<'a> {
    assignment: Option<&'a str>,
}

/// An event is about the aggregate of its stream: what moved another one's money would not be in that one's history.
fn check_subject<A: Aggregate>(event: &StoredEvent) -> Result<(), String> {
    // A login's stream has the name that was claimed, which no payload tells.
    if A::TYPE == Login::TYPE {
        return Ok(());
    }
    let named: Named<'_> = serde_json::from_str(&event.payload).map_err(|e| format!("payload: {e}"))?;
    let subject = match A::TYPE {
        Assignment::TYPE => named.assignment.or(named.offer.and_then(|offer| offer.assignment)),
        Campaign::TYPE => named.campaign,
        FraudFlag::TYPE => named.flag,
        OnRamp::TYPE => named.on_ramp,
        Payout::TYPE => named.payout,
        _ => named.user,
    };
    match subject {
        Some(id) if id == event.stream.aggregate_id => Ok(()),
        other => Err(format!(
            "it is in the stream {}, but about {}",
            event.stream,
            other.unwrap_or("nothing")
        )),
    }
}

/// Who decided, where a payload says so.
#[derive(Deserialize)]
struct Deciders<'a> {
    admin: Option<By<'a>>,
    by: Option<&'a str>,
    reviewer: Option<&'a str>,
}

#[derive(Deserialize)]
struct By<'a> {
    by: &'a str,
}

/// Whoever a payload says has approved or reviewed is who appended it.
fn check_who(event: &StoredEvent) -> Result<(), String> {
    let deciders: Deciders<'_> = serde_json::from_str(&event.payload).map_err(|e| format!("payload: {e}"))?;
    let said = deciders
        .by
        .or(deciders.reviewer)
        .or(deciders.admin.map(|admin| admin.by));
    let Some(said) = said else { return Ok(()) };
    let metadata = event.parse_metadata().map_err(|e| format!("metadata: {e}"))?;
    match metadata.actor {
        Some(actor) if actor == said => Ok(()),
        actor => Err(format!(
            "it says that {said} decided, but {} appended it",
            actor.as_deref().unwrap_or("nobody")
        )),
    }
}

/// Reads an event of a stream of this aggregate.
pub(crate) fn read<A: Aggregate>(event: &StoredEvent) -> Result<A::Event, String> {
    if event.event_version != A::Event::VERSION {
        let (version, name) = (&event.event_version, &event.event_type);
        return Err(format!("version {version:?} of {name} is unknown"));
    }
    let read: A::Event = serde_json::from_str(&event.payload).map_err(|e| format!("payload: {e}"))?;
    if read.event_type() != event.event_type {
        let (inside, outside) = (read.event_type(), &event.event_type);
        return Err(format!("the payload's type is {inside}, the event's {outside}"));
    }
    Ok(read)
}
