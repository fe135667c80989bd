//! Replay: the state of the book from events alone, without any snapshot or read model.

use crate::as_of::AsOf;
use crate::decode;
use crate::error::AuditError;
use crate::pages::{self, Pages};
use crate::progress::{Progress, Unit};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use viral_ledger::trial_balance::Row;
use viral_ledger::{Book, TrialBalance};
use viral_store::event::time_text;
use viral_store::{EventStore, Position, StoredEvent};

/// The state that the events give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// The last position that is part of it, a decimal string like every position in JSON.
    pub position: String,
    /// When that event was recorded, RFC 3339; absent before the first event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<String>,
    /// How many events were read.
    pub events: u64,
    /// SHA-256 of the state text, as snapshots record it.
    pub state_hash: String,
    /// How many holds are open.
    pub open_holds: usize,
    /// The sums of each asset over all accounts; they are equal, or the log would not have been replayed.
    pub totals: BTreeMap<String, AssetTotals>,
    /// All accounts, sorted by address.
    pub accounts: Vec<Row>,
}

/// The sums of one asset, decimals at its scale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssetTotals {
    /// All debits.
    pub debits: String,
    /// All credits.
    pub credits: String,
}

/// Replays the log from its first event up to a moment. Every event is checked again as it is applied: the first one
/// that a sound book could not have produced ends the replay with an error.
pub async fn replay(store: &Arc<dyn EventStore>, as_of: AsOf, progress: &dyn Progress) -> Result<Replay, AuditError> {
    let up_to = as_of.resolve(store.as_ref()).await?;
    let mut book = Book::new();
    let mut recorded_at = None;
    each_event(store, up_to, progress, |event| {
        recorded_at = Some(event.recorded_at);
        apply(&mut book, event)
    })
    .await?;
    Ok(Replay::of(&book, up_to, recorded_at))
}

impl Replay {
    fn of(book: &Book, position: Position, recorded_at: Option<DateTime<Utc>>) -> Replay {
        let totals = book.totals().into_iter().map(|(asset, sums)| {
            let (debits, credits) = (asset.decimal(sums.debits), asset.decimal(sums.credits));
            (asset.code().to_owned(), AssetTotals { debits, credits })
        });
        Replay {
            position: position.to_string(),
            recorded_at: recorded_at.as_ref().map(time_text),
            events: position.0,
            state_hash: book.state_hash(),
            open_holds: book.holds().len(),
            totals: totals.collect(),
            accounts: TrialBalance::of(book, position.0).accounts,
        }
    }
}

fn apply(book: &mut Book, event: &StoredEvent) -> Result<(), AuditError> {
    let broken = |problem| AuditError::broken(event.position, problem);
    let Some(decoded) = decode::book(event)? else {
        return Ok(());
    };
    let before = book.sequence();
    if event.sequence != before + 1 {
        return Err(broken(format!(
            "sequence {} follows {before} in the book",
            event.sequence
        )));
    }
    book.evolve(event.recorded_at, &decoded)
        .map_err(|violation| broken(violation.to_string()))
}

/// Hands every event from the first one up to a position to a function, in order and without a gap.
pub(crate) async fn each_event(
    store: &Arc<dyn EventStore>,
    up_to: Position,
    progress: &dyn Progress,
    mut each: impl FnMut(&StoredEvent) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    each_event_after(store, Position::START, up_to, progress, &mut each).await
}

/// As [`each_event`], from the first event after a position.
pub(crate) async fn each_event_after(
    store: &Arc<dyn EventStore>,
    after: Position,
    up_to: Position,
    progress: &dyn Progress,
    each: &mut impl FnMut(&StoredEvent) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    progress.begin("reading the log", Unit::Events, up_to.0.saturating_sub(after.0));
    let mut position = after;
    let mut pages = Pages::open(store.clone(), after, up_to);
    while let Some(page) = pages.next().await {
        for event in &page? {
            pages::check_next(&mut position, event)?;
            each(event)?;
        }
        progress.advance(position.0 - after.0);
    }
    pages::check_end(position, up_to)
}
