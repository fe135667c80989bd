//! What an operator accepts of the log itself. This goes around the use cases: it is what lets them work again.

use crate::aggregates::{self, read_event};
use crate::error::{AppendError, CommandError, FollowError};
use crate::kept::KeptStates;
use crate::plan::Plan;
use crate::unit::{Outcome, Unit};
use crate::writer::Writer;
use uuid::Uuid;
use viral_domain::Aggregate as _;
use viral_domain::acceptance::{
    AcceptanceCommand, AcceptanceEvent, Acceptances, CLOCK_ACCEPTED, ClockAccepted, HistoryAccepted, Place,
};
use viral_store::{Checkpoint, EventStore, Position, StoredEvent, StreamId};

/// How many events of the stream are read at once.
const PAGE: usize = 500;
/// How often it is tried where somebody else accepts something at the same time.
const ATTEMPTS: u32 = 8;

/// Goes on with the log as it is, without what was `seen` before.
pub async fn accept_history(
    writer: &Writer,
    by: &str,
    reason: &str,
    seen: &Checkpoint,
) -> Result<Outcome, CommandError> {
    let head = writer.store().head().await?;
    let place = |position: u64, digest: Option<String>| Place {
        digest,
        position: position.to_string(),
    };
    let accepted = HistoryAccepted {
        by: by.to_owned(),
        found: place(head.position.0, Some(head.digest.to_string())),
        reason: reason.to_owned(),
        seen: place(seen.position.0, seen.digest.map(|digest| digest.to_string())),
    };
    append(writer, by, &AcceptanceCommand::AcceptHistory(accepted)).await
}

/// Goes on with the clock of the log's server as it is.
pub async fn accept_clock(writer: &Writer, by: &str, reason: &str) -> Result<Outcome, CommandError> {
    let accepted = ClockAccepted {
        by: by.to_owned(),
        reason: reason.to_owned(),
        time: writer.now(),
    };
    append(writer, by, &AcceptanceCommand::AcceptClock(accepted)).await
}

/// Whether somebody accepted that the log does not have this any more: later, or as something that was seen before.
pub async fn is_history_accepted(store: &dyn EventStore, seen: &Checkpoint) -> Result<bool, FollowError> {
    let position = |place: &Place| place.position.parse::<u64>().unwrap_or_default();
    let covers = |event: &StoredEvent| match read_event::<AcceptanceEvent>(event) {
        Ok(AcceptanceEvent::HistoryAccepted(accepted)) => {
            let lost = position(&accepted.found) < seen.position.0 && seen.position.0 <= position(&accepted.seen);
            lost || event.recorded_at > seen.recorded_at
        }
        _ => false,
    };
    Ok(all(store).await?.iter().any(covers))
}

/// Where somebody last said that the clock of the log's server is right.
pub(crate) async fn clock_accepted(store: &dyn EventStore) -> Result<Position, FollowError> {
    let all = all(store).await?;
    let last = all.iter().rfind(|event| event.event_type == CLOCK_ACCEPTED);
    Ok(last.map_or(Position::START, |event| event.position))
}

async fn all(store: &dyn EventStore) -> Result<Vec<StoredEvent>, FollowError> {
    let stream = StreamId::new(Acceptances::TYPE, Acceptances::ID);
    let mut all: Vec<StoredEvent> = Vec::new();
    loop {
        let page = store.read_stream(&stream, all.len() as u64, PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

async fn append(writer: &Writer, by: &str, command: &AcceptanceCommand) -> Result<Outcome, CommandError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let store = writer.store().as_ref();
        let mut subject = aggregates::load::<Acceptances>(&KeptStates::default(), store, Acceptances::ID).await?;
        subject.decide(command)?;
        let plan = Plan::of(subject)?;
        let unit = Unit::new(Uuid::now_v7(), plan.parts).with_actor(by);
        match writer.append(unit).await {
            Err(AppendError::Conflict { .. }) if attempt < ATTEMPTS => {}
            outcome => return Ok(outcome?),
        }
    }
}
