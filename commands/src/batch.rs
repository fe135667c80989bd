//! What happens to a batch of units under the lock of the head: duplicates and losers drop out, the book decides the
//! rest, one after the other, and what is left becomes events.

mod invariants;
mod payload;
mod rehearse;

pub(crate) use rehearse::Purpose;

use crate::book_reader::BookAt;
use crate::error::{AppendError, Rejection};
use crate::unit::{NewEvent, Part, Unit};
use chrono::{DateTime, Utc};
use payload::payload;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use uuid::Uuid;
use viral_ledger::{BookEvent, Command, timestamp};
use viral_store::line::{self, LineError};
use viral_store::{Check, EventStore, Existing, Metadata, Position, StoredEvent, StreamId};

/// What became of a unit, before the commit.
pub(crate) enum Verdict {
    /// These of the batch's events are its own.
    Accepted(Range<usize>),
    /// It was appended before, from this position on.
    Duplicate(Position),
    /// It is the same as a unit earlier in this batch.
    DuplicateInBatch(Range<usize>),
    /// These events would have been its own.
    Rehearsed(Vec<StoredEvent>),
    /// It is not appended.
    Refused(AppendError),
}

/// A batch under way.
pub(crate) struct Batch<'a> {
    state: &'a mut BookAt,
    store: &'a dyn EventStore,
    now: DateTime<Utc>,
    next: Position,
    existing: HashMap<Uuid, Existing>,
    sequences: HashMap<StreamId, u64>,
    accepted: HashMap<Uuid, (Range<usize>, Option<String>)>,
    taken_ids: HashMap<Uuid, Position>,
    pub(crate) events: Vec<StoredEvent>,
}

/// The ids and streams that a batch must look up.
pub(crate) fn lookups<'u>(units: impl Iterator<Item = &'u Unit> + Clone) -> (Vec<Uuid>, Vec<StreamId>) {
    let ids: Vec<Uuid> = units.clone().flat_map(Unit::ids).collect();
    // A name that no store could keep cannot be looked up either; its unit is refused for it.
    let sound = |stream: &&StreamId| {
        check_name(&stream.aggregate_type)
            .and(check_name(&stream.aggregate_id))
            .is_ok()
    };
    let streams: HashSet<&StreamId> = units.flat_map(Unit::streams).filter(sound).collect();
    (ids, streams.into_iter().cloned().collect())
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        state: &'a mut BookAt,
        store: &'a dyn EventStore,
        now: DateTime<Utc>,
        streams: Vec<StreamId>,
        check: Check,
    ) -> Batch<'a> {
        Batch {
            next: state.position().next(),
            state,
            store,
            now,
            existing: check
                .existing
                .into_iter()
                .map(|found| (found.event_id, found))
                .collect(),
            sequences: streams.into_iter().zip(check.sequences).collect(),
            accepted: HashMap::new(),
            taken_ids: HashMap::new(),
            events: Vec::new(),
        }
    }

    /// Decides one unit. Whatever it changed in the book is undone if it is refused.
    pub(crate) fn decide(&mut self, unit: &Unit) -> Verdict {
        if let Some(verdict) = self.duplicate(unit) {
            return verdict;
        }
        let start = self.events.len();
        let savepoint = self.state.book.savepoint();
        let mut moved = HashMap::new();
        let decided = self.append(unit, &mut moved);
        match decided.and_then(|()| self.check_unit(start, savepoint)) {
            Ok(()) => {
                let range = start..self.events.len();
                self.next = Position(self.next.0 + range.len() as u64);
                for event in &self.events[range.clone()] {
                    self.taken_ids.insert(event.event_id, event.position);
                }
                self.sequences.extend(moved);
                self.accepted
                    .insert(unit.id, (range.clone(), unit.request_hash.clone()));
                Verdict::Accepted(range)
            }
            Err(error) => {
                self.state.book.rollback(savepoint);
                self.events.truncate(start);
                Verdict::Refused(error)
            }
        }
    }

    fn duplicate(&self, unit: &Unit) -> Option<Verdict> {
        if let Some((range, request_hash)) = self.accepted.get(&unit.id) {
            let position = self.events.get(range.start)?.position;
            return Some(if *request_hash == unit.request_hash {
                Verdict::DuplicateInBatch(range.clone())
            } else {
                Verdict::Refused(AppendError::KeyReused { position })
            });
        }
        if let Some(position) = self.taken_ids.get(&unit.id).copied() {
            return Some(Verdict::Refused(AppendError::KeyReused { position }));
        }
        let found = self.existing.get(&unit.id)?;
        let position = found.position;
        let metadata: Option<Metadata> = serde_json::from_str(&found.metadata).ok();
        Some(match metadata {
            Some(first)
                if first.unit_id == unit.id && first.request_hash.as_deref() == unit.request_hash.as_deref() =>
            {
                Verdict::Duplicate(position)
            }
            _ => Verdict::Refused(AppendError::KeyReused { position }),
        })
    }

    fn append(&mut self, unit: &Unit, moved: &mut HashMap<StreamId, u64>) -> Result<(), AppendError> {
        let mut own = HashSet::from([unit.id]);
        for id in unit.ids().skip(1) {
            if !own.insert(id) {
                return Err(Rejection::AlreadyHappened {
                    id,
                    position: self.next,
                }
                .into());
            }
            let found = self.existing.get(&id).map(|found| found.position);
            if let Some(position) = found.or_else(|| self.taken_ids.get(&id).copied()) {
                return Err(Rejection::AlreadyHappened { id, position }.into());
            }
        }
        if !unit.window.contains(self.now) {
            return Err(AppendError::Outdated { now: self.now });
        }
        self.check_streams(unit, moved)?;
        for part in &unit.parts {
            match part {
                Part::Events {
                    stream,
                    expected,
                    events,
                } => {
                    self.append_events(unit, stream, *expected, events)?;
                }
                Part::Ledger { id, command } => self.append_ledger(unit, *id, command)?,
                Part::Snapshot => {
                    let position = self.next.0 - 1 + self.in_unit() as u64;
                    self.append_ledger(unit, None, &Command::TakeSnapshot { position })?;
                }
            }
        }
        if self.in_unit() == 0 {
            return Err(Rejection::Empty.into());
        }
        self.check_size()
    }

    /// The store can write the unit that was decided at once.
    fn check_size(&self) -> Result<(), AppendError> {
        let limit = self.store.max_unit_bytes();
        let unit = &self.events[self.events.len() - self.in_unit()..];
        // Only where it comes close the lines are made to be measured.
        if unit
            .iter()
            .fold(0, |sum: usize, event| sum.saturating_add(line::at_most(event)))
            <= limit
        {
            return Ok(());
        }
        let mut bytes = 0;
        for event in unit {
            let line = line::to_line(event, self.store.source()).map_err(Rejection::from)?;
            bytes += line.len() + 2;
        }
        match bytes <= limit {
            true => Ok(()),
            false => Err(Rejection::UnitTooLarge { bytes, limit }.into()),
        }
    }

    /// All streams are where the unit expects them, before the book is asked: a plan that was made from an older state is
    /// a conflict, which is planned anew, and not whatever the ledger would say to it.
    fn check_streams(&self, unit: &Unit, moved: &mut HashMap<StreamId, u64>) -> Result<(), AppendError> {
        for guard in &unit.guards {
            check_stream(&guard.stream)?;
            self.expect(&guard.stream, guard.sequence, moved)?;
        }
        for part in &unit.parts {
            let Part::Events {
                stream,
                expected,
                events,
            } = part
            else {
                continue;
            };
            check_stream(stream)?;
            self.expect(stream, *expected, moved)?;
            if !events.is_empty() {
                moved.insert(stream.clone(), expected + events.len() as u64);
            }
        }
        Ok(())
    }

    /// How many events the unit that is being decided has so far.
    fn in_unit(&self) -> usize {
        let before = self.next.0 - self.state.position().0 - 1;
        self.events.len() - usize::try_from(before).unwrap_or(usize::MAX)
    }

    fn expect(&self, stream: &StreamId, expected: u64, moved: &HashMap<StreamId, u64>) -> Result<(), AppendError> {
        let actual = moved.get(stream).or_else(|| self.sequences.get(stream));
        let actual = actual.copied().unwrap_or(0);
        if actual == expected {
            return Ok(());
        }
        Err(AppendError::Conflict {
            stream: stream.clone(),
            expected,
            actual,
        })
    }

    fn append_events(
        &mut self,
        unit: &Unit,
        stream: &StreamId,
        expected: u64,
        events: &[NewEvent],
    ) -> Result<(), AppendError> {
        for (event, sequence) in events.iter().zip(expected + 1..) {
            let (id, metadata) = (self.id_for(unit, event.id), metadata(unit, None));
            let (event_type, version) = (event.event_type.clone(), event.event_version.clone());
            self.push(
                id,
                stream.clone(),
                sequence,
                event_type,
                version,
                event.payload.clone(),
                &metadata,
            )?;
        }
        Ok(())
    }

    fn append_ledger(&mut self, unit: &Unit, id: Option<Uuid>, command: &Command) -> Result<(), AppendError> {
        let id = self.id_for(unit, id);
        let book = &mut self.state.book;
        let event = book.decide(id, self.now, command).map_err(Rejection::from)?;
        // What was decided on this state applies to it: anything else is a mistake in the ledger.
        book.evolve_trusted(self.now, &event)
            .map_err(|violation| AppendError::LogBroken {
                position: self.next,
                problem: format!("the book contradicts its own decision: {violation}"),
            })?;
        let sequence = book.sequence();
        let effective = match &event {
            BookEvent::TransactionPosted(transaction) if transaction.effective_at != self.now => {
                Some(timestamp::to_text(&transaction.effective_at))
            }
            _ => None,
        };
        let payload = payload(&event).map_err(|e| Rejection::Line(LineError::Malformed(e.to_string())))?;
        let stream = StreamId::new(BookEvent::AGGREGATE_TYPE, BookEvent::AGGREGATE_ID);
        let (event_type, version) = (event.event_type().into(), event.version().into());
        self.push(
            id,
            stream,
            sequence,
            event_type,
            version,
            payload,
            &metadata(unit, effective),
        )
    }

    /// The first event of a unit has the unit's id, the others their own or fresh ones.
    fn id_for(&self, unit: &Unit, id: Option<Uuid>) -> Uuid {
        if self.in_unit() == 0 {
            unit.id
        } else {
            id.unwrap_or_else(Uuid::now_v7)
        }
    }

    #[allow(clippy::too_many_arguments)] // the columns of one row
    fn push(
        &mut self,
        event_id: Uuid,
        stream: StreamId,
        sequence: u64,
        event_type: Cow<'static, str>,
        event_version: Cow<'static, str>,
        payload: String,
        metadata: &Metadata,
    ) -> Result<(), AppendError> {
        let metadata = serde_json::to_string(metadata);
        let event = StoredEvent {
            position: Position(self.state.position().0 + self.events.len() as u64 + 1),
            event_id,
            stream,
            sequence,
            event_type,
            event_version,
            payload,
            metadata: metadata.map_err(|e| Rejection::Line(LineError::Malformed(e.to_string())))?,
            recorded_at: self.now,
        };
        line::check_length(&event, self.store.source()).map_err(Rejection::from)?;
        self.events.push(event);
        Ok(())
    }
}

/// A stream that units may name: the book's own is written by ledger commands only.
fn check_stream(stream: &StreamId) -> Result<(), Rejection> {
    if stream.aggregate_type == BookEvent::AGGREGATE_TYPE {
        return Err(Rejection::ReservedStream(stream.clone()));
    }
    check_name(&stream.aggregate_type)?;
    check_name(&stream.aggregate_id)
}

/// A name that every store can keep.
fn check_name(name: &str) -> Result<(), Rejection> {
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(Rejection::InvalidStream(name.chars().take(64).collect()));
    }
    Ok(())
}

fn metadata(unit: &Unit, effective_time: Option<String>) -> Metadata {
    let owned = |text: &Option<String>| text.clone().map(Cow::Owned);
    Metadata {
        actor: owned(&unit.actor),
        causation_id: owned(&unit.causation_id),
        correlation_id: owned(&unit.correlation_id),
        effective_time: effective_time.map(Cow::Owned),
        request_hash: owned(&unit.request_hash),
        unit_id: unit.id,
    }
}
