//! A store made again from a copy of its log, after the store was lost.
//!
//! [`check`] verifies the copy and says up to where it can be restored; [`restore()`] appends its events to an empty log
//! of the same id, each at its own position, so that the log has the same bytes afterwards. Only whole units are
//! appended: what a killed restore leaves behind is a beginning of the log, and the next one goes on after it.
//!
//! Lines do not say how many events a unit has. Where a copy ends in the middle of one, [`check`] sees it if something
//! is missing that the ledger had to do; that only other events of the domain are missing cannot be seen.

use crate::as_of::AsOf;
use crate::error::AuditError;
use crate::pages::{self, PAGE, Pages};
use crate::progress::{Progress, Unit};
use crate::replay::replay;
use crate::verify::{Finding, NotVerified, verify};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;
use viral_store::{EventStore, Position, SpooledLog, StoreError, StoredEvent};

/// How many events are looked through at once for the beginning of a unit.
const BACK: u64 = 256;

/// Why nothing was restored, or not all.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The copy is not a log that anybody should go on with.
    #[error("the copy does not hold, so it is not restored: position {}: {}", .0.position, .0.problem)]
    DoesNotHold(Finding),
    /// The copy has an event that this program does not know: whether it holds, a later version can say.
    #[error(
        "position {}: {} version {} is not known to this version of the program: update it; nothing was written",
        .0.position, .0.event_type, .0.event_version
    )]
    NotVerified(NotVerified),
    /// The copy ends in the middle of a unit.
    #[error(
        "the copy ends in the middle of a unit, which begins at position {first}: {problem}; \
         --drop-incomplete-unit restores everything before it, and leaves positions {first} to {last} out"
    )]
    Incomplete {
        /// The unit's first position.
        first: Position,
        /// The last one that is there.
        last: Position,
        /// What is missing.
        problem: String,
    },
    /// Nothing is left of the copy without its last unit.
    #[error("the copy has nothing but the beginning of one unit")]
    NothingLeft,
    /// The log has another id.
    #[error("the log there is {there}, the copy is of {copy}: a copy is restored into an empty database")]
    OtherLog {
        /// The id of the log there.
        there: String,
        /// The id that the copy's lines name.
        copy: String,
    },
    /// There is more than the copy has.
    #[error("the log there goes on to position {there}, the copy ends at {copy}: there is nothing to restore")]
    Longer {
        /// The end of the log there.
        there: Position,
        /// The end of the copy.
        copy: Position,
    },
    /// The log has another event than the copy.
    #[error("the log there has another event at position {0} than the copy: nothing was written")]
    Differs(Position),
    /// Somebody else appended meanwhile.
    #[error(
        "somebody appended to the log while it was restored: it is at position {found} instead of {expected}; stop \
         every process of the platform, empty the database and begin again"
    )]
    Overtaken {
        /// The end of the log.
        found: Position,
        /// Where it was left.
        expected: Position,
    },
    /// The copy could not be examined.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// The store did not take the events. Running it again goes on after those that it took.
    #[error("{0}; run it again: it goes on where it was")]
    Store(#[from] StoreError),
}

/// A part of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its first position.
    #[serde(serialize_with = "as_text")]
    pub first: Position,
    /// Its last one.
    #[serde(serialize_with = "as_text")]
    pub last: Position,
}

fn as_text<S: serde::Serializer>(position: &Position, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(position)
}

/// What of a copy can be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    /// The last position.
    pub up_to: Position,
    /// SHA-256 of the state text there.
    pub state_hash: String,
    /// The unit at the end of what is restored: whether it is all there, lines cannot say.
    pub last_unit: Span,
    /// What is left out.
    pub dropped: Option<Span>,
}

/// What a restored log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Its id, as every line names it.
    pub log: String,
    /// How many events it has, which is its last position.
    pub events: u64,
    /// How many of them were appended now.
    pub appended: u64,
    /// How many were there already, the same bytes.
    pub found: u64,
    /// SHA-256 of the state text at the last position.
    pub state_hash: String,
    /// The unit that it ends in: that is complete as far as the ledger can tell.
    pub last_unit: Span,
    /// What the copy had of an incomplete unit at its end, and was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Span>,
}

/// Verifies a copy completely. Where it ends in the middle of a unit, that unit is left out if the caller says so.
pub async fn check(
    copy: &SpooledLog,
    drop_incomplete_unit: bool,
    progress: &dyn Progress,
) -> Result<Sound, RestoreError> {
    let log: Arc<dyn EventStore> = Arc::new(copy.clone());
    let head = log.head().await.map_err(AuditError::from)?.position;
    let verification = verify(&log, progress).await?;
    if let (None, Some(unknown)) = (&verification.first_bad, verification.not_verified) {
        return Err(RestoreError::NotVerified(unknown));
    }
    let Some(finding) = verification.first_bad else {
        return Ok(Sound {
            up_to: head,
            state_hash: verification.state_hash,
            last_unit: last_unit(&log, head).await?,
            dropped: None,
        });
    };
    // Where a line was cut off, nobody knows whether it belongs to the unit before it: then that one may be torn, too.
    let is_cut = copy.is_cut() && finding.position == head;
    if !is_cut && !verification.ends_in_incomplete_unit {
        return Err(RestoreError::DoesNotHold(finding));
    }
    let whole_lines = if is_cut { Position(head.0 - 1) } else { head };
    let torn = last_unit(&log, whole_lines).await?;
    if !drop_incomplete_unit {
        return Err(RestoreError::Incomplete {
            first: torn.first,
            last: head,
            problem: finding.problem,
        });
    }
    let up_to = Position(torn.first.0.saturating_sub(1));
    if up_to == Position::START {
        return Err(RestoreError::NothingLeft);
    }
    // Everything before the last unit was verified with it: only the state there is not known yet.
    let before = replay(&log, AsOf::Position(up_to), progress).await?;
    Ok(Sound {
        up_to,
        state_hash: before.state_hash,
        last_unit: last_unit(&log, up_to).await?,
        dropped: Some(Span {
            first: torn.first,
            last: head,
        }),
    })
}

/// The unit that the events up to a position end in.
async fn last_unit(log: &Arc<dyn EventStore>, last: Position) -> Result<Span, AuditError> {
    let mut first = last;
    let mut unit = None;
    while first > Position::START {
        let after = Position(first.0.saturating_sub(BACK));
        let count = usize::try_from(first.0 - after.0).unwrap_or(usize::MAX);
        let page = log.read_after(after, count).await?;
        for event in page.iter().rev() {
            if *unit.get_or_insert(unit_of(event)?) != unit_of(event)? {
                let first = event.position.next();
                return Ok(Span { first, last });
            }
        }
        first = after;
    }
    Ok(Span {
        first: Position(1).min(last),
        last,
    })
}

fn unit_of(event: &StoredEvent) -> Result<Uuid, AuditError> {
    let metadata = event.parse_metadata();
    let metadata = metadata.map_err(|e| AuditError::broken(event.position, format!("metadata: {e}")))?;
    Ok(metadata.unit_id)
}

/// Appends what is sound of a copy to a log of the same id that is empty, or was left behind by a restore of the same
/// copy. Nobody else may append to it meanwhile.
pub async fn restore(
    copy: &SpooledLog,
    sound: &Sound,
    target: &Arc<dyn EventStore>,
    progress: &dyn Progress,
) -> Result<Restored, RestoreError> {
    if target.source() != copy.source() {
        return Err(RestoreError::OtherLog {
            there: target.source().to_owned(),
            copy: copy.source().to_owned(),
        });
    }
    let found = target.head().await?.position;
    if found > sound.up_to {
        let (there, copy) = (found, sound.up_to);
        return Err(RestoreError::Longer { there, copy });
    }
    let log: Arc<dyn EventStore> = Arc::new(copy.clone());
    compare(&log, target, found, progress).await?;
    append(&log, sound.up_to, target, found, progress).await?;
    Ok(Restored {
        log: copy.source().to_owned(),
        events: sound.up_to.0,
        appended: sound.up_to.0 - found.0,
        found: found.0,
        state_hash: sound.state_hash.clone(),
        last_unit: sound.last_unit,
        dropped: sound.dropped,
    })
}

/// What is there must be what the copy says: equal events of one log have equal lines.
async fn compare(
    copy: &Arc<dyn EventStore>,
    target: &Arc<dyn EventStore>,
    up_to: Position,
    progress: &dyn Progress,
) -> Result<(), RestoreError> {
    progress.begin("comparing what is there", Unit::Events, up_to.0);
    let mut pages = Pages::open(target.clone(), Position::START, up_to);
    let mut at = Position::START;
    while let Some(page) = pages.next().await {
        let there = page.map_err(AuditError::from)?;
        let ours = copy.read_after(at, there.len()).await.map_err(AuditError::from)?;
        if let Some((_, ours)) = there.iter().zip(&ours).find(|(there, ours)| there != ours) {
            return Err(RestoreError::Differs(ours.position));
        }
        at = Position(at.0 + there.len() as u64);
        progress.advance(at.0);
    }
    pages::check_end(at, up_to)?;
    Ok(())
}

async fn append(
    copy: &Arc<dyn EventStore>,
    up_to: Position,
    target: &Arc<dyn EventStore>,
    after: Position,
    progress: &dyn Progress,
) -> Result<(), RestoreError> {
    progress.begin("restoring", Unit::Events, up_to.0);
    let mut pages = Pages::open(copy.clone(), after, up_to);
    let mut at = after;
    let mut waiting: Vec<StoredEvent> = Vec::with_capacity(PAGE);
    while let Some(page) = pages.next().await {
        waiting.extend(page.map_err(AuditError::from)?);
        // The last unit may go on in the next page. A batch ends where a unit ends.
        let rest = waiting.split_off(whole_units(&waiting)?);
        at = append_batch(target, at, &waiting).await?;
        waiting = rest;
        progress.advance(at.0);
    }
    at = append_batch(target, at, &waiting).await?;
    progress.advance(at.0);
    pages::check_end(at, up_to)?;
    Ok(())
}

/// How many events there are before the last unit.
fn whole_units(events: &[StoredEvent]) -> Result<usize, AuditError> {
    let Some(last) = events.last() else { return Ok(0) };
    let unit = unit_of(last)?;
    let mut count = events.len();
    for event in events.iter().rev() {
        if unit_of(event)? != unit {
            break;
        }
        count -= 1;
    }
    Ok(count)
}

async fn append_batch(
    target: &Arc<dyn EventStore>,
    at: Position,
    events: &[StoredEvent],
) -> Result<Position, RestoreError> {
    let Some(last) = events.last() else { return Ok(at) };
    let locked = target.lock().await?;
    let found = locked.head().position;
    if found != at {
        locked.release().await?;
        return Err(RestoreError::Overtaken { found, expected: at });
    }
    locked.append(events).await?;
    Ok(last.position)
}
