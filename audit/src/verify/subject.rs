//! Whom an event is about and who decided, which its stream and its metadata say again.

use serde::Deserialize;
use viral_domain::Aggregate as _;
use viral_domain::acceptance::Acceptances;
use viral_domain::assignment::Assignment;
use viral_domain::campaign::Campaign;
use viral_domain::fraud_flag::FraudFlag;
use viral_domain::on_ramp::OnRamp;
use viral_domain::payout::Payout;
use viral_domain::user::Login;
use viral_ledger::ReversalEvent;
use viral_store::StoredEvent;

/// Checks an event beside the book. `payload` is what it says in the newest version, whose names these are.
pub(super) fn check(event: &StoredEvent, payload: &str) -> Result<(), String> {
    check_subject(event, payload)?;
    check_who(event, payload)
}

/// The ids of aggregates that a payload names, each under the same name in all events.
#[derive(Deserialize)]
struct Named<'a> {
    assignment: Option<&'a str>,
    campaign: Option<&'a str>,
    flag: Option<&'a str>,
    offer: Option<Offer<'a>>,
    on_ramp: Option<&'a str>,
    original: Option<&'a str>,
    payout: Option<&'a str>,
    user: Option<&'a str>,
}

#[derive(Deserialize)]
struct Offer<'a> {
    assignment: Option<&'a str>,
}

/// An event is about the aggregate of its stream: what moved another one's money would not be in that one's history.
fn check_subject(event: &StoredEvent, payload: &str) -> Result<(), String> {
    // A login's stream has the name that was claimed, which no payload tells; acceptances have one stream.
    if [Login::TYPE, Acceptances::TYPE].contains(&&*event.stream.aggregate_type) {
        return Ok(());
    }
    let named: Named<'_> = serde_json::from_str(payload).map_err(|e| format!("payload: {e}"))?;
    let subject = match &*event.stream.aggregate_type {
        Assignment::TYPE => named.assignment.or(named.offer.and_then(|offer| offer.assignment)),
        Campaign::TYPE => named.campaign,
        FraudFlag::TYPE => named.flag,
        OnRamp::TYPE => named.on_ramp,
        Payout::TYPE => named.payout,
        ReversalEvent::AGGREGATE_TYPE => named.original,
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
fn check_who(event: &StoredEvent, payload: &str) -> Result<(), String> {
    let deciders: Deciders<'_> = serde_json::from_str(payload).map_err(|e| format!("payload: {e}"))?;
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
