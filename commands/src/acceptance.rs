//! What an operator accepts of the log itself. This goes around the use cases: it is what lets them work again.

use crate::aggregates;
use crate::error::{AppendError, CommandError, FollowError};
use crate::kept::KeptStates;
use crate::plan::Plan;
use crate::unit::{Outcome, Unit};
use crate::writer::Writer;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use viral_domain::Aggregate as _;
use viral_domain::acceptance::{
    AcceptanceCommand, Acceptances, ClockAccepted, HISTORY_ACCEPTED, HistoryAccepted, Place,
};
use viral_store::{Checkpoint, EventStore, StreamId};

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

/// Whether somebody accepted, after a moment, that the log went back.
pub async fn is_history_accepted(store: &dyn EventStore, since: DateTime<Utc>) -> Result<bool, FollowError> {
    let stream = StreamId::new(Acceptances::TYPE, Acceptances::ID);
    let mut sequence = 0;
    loop {
        let page = store.read_stream(&stream, sequence, PAGE).await?;
        let accepts = |event: &viral_store::StoredEvent| event.event_type == HISTORY_ACCEPTED;
        if page.iter().any(|event| accepts(event) && event.recorded_at > since) {
            return Ok(true);
        }
        match page.last() {
            Some(last) if page.len() == PAGE => sequence = last.sequence,
            _ => return Ok(false),
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
