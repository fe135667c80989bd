//! Aggregates, loaded from their streams, and what is about to happen to them.

use crate::book_reader::recorded;
use crate::error::{CommandError, FollowError};
use crate::kept::{KeptStates, Version, weight};
use crate::unit::NewEvent;
use std::fmt;
use viral_domain::decode::{DecodeError, Versioned as _};
use viral_domain::{Aggregate, DomainEvent, Effect};
use viral_store::line::LineError;
use viral_store::{EventIdentity, EventStore, StoredEvent, StreamId};

/// How many events of a stream are read at once.
const PAGE: usize = 500;

/// An aggregate under way: its state, and what is about to happen to it.
#[derive(Debug)]
pub(crate) struct Subject<A: Aggregate> {
    stream: StreamId,
    version: Version<A>,
    pending: Vec<A::Event>,
}

impl<A: Aggregate> Subject<A> {
    /// The state that the log has, without what is about to happen.
    pub(crate) fn state(&self) -> &A {
        &self.version.state
    }

    /// Its stream, and the sequence of the last event there that the state contains.
    pub(crate) fn seen(&self) -> (StreamId, u64) {
        (self.stream.clone(), self.version.sequence)
    }

    /// Decides a command, in view of what was decided before it.
    pub(crate) fn decide(&mut self, command: &A::Command) -> Result<(), CommandError> {
        let events = match self.pending.is_empty() {
            true => self.state().decide(command),
            // Few use cases ask one aggregate twice, and then a small one: only those make a copy.
            false => {
                let mut state = self.state().clone();
                self.pending.iter().for_each(|event| state.evolve(event));
                state.decide(command)
            }
        };
        self.pending
            .extend(events.map_err(|refusal| CommandError::refusal(&refusal))?);
        Ok(())
    }

    /// What is about to happen.
    pub(crate) fn pending(&self) -> &[A::Event] {
        &self.pending
    }

    /// What is to be appended for it, and what that does to the ledger.
    pub(crate) fn finish(self) -> Result<Finished, LineError> {
        let events = self.pending.iter();
        let events = events.map(|event| NewEvent::new(event.event_type(), event.version(), event));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        let weight = events.iter().map(|event| weight(&event.payload)).sum();
        Ok(Finished {
            stream: self.stream.clone(),
            expected: self.version.sequence,
            events,
            effects: self.pending.iter().flat_map(DomainEvent::effects).collect(),
            planned: Planned {
                subject: Box::new(self),
                weight,
            },
        })
    }
}

/// An aggregate for which everything is decided.
pub(crate) struct Finished {
    pub(crate) stream: StreamId,
    /// The sequence of the last event in the log.
    pub(crate) expected: u64,
    /// The events as they will be stored.
    pub(crate) events: Vec<NewEvent>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) planned: Planned,
}

/// A state that moves on once its events are in the log.
pub(crate) struct Planned {
    subject: Box<dyn Appended>,
    weight: usize,
}

impl Planned {
    /// The unit's events are in the log.
    pub(crate) fn keep(self, kept: &KeptStates, unit: &[StoredEvent]) {
        self.subject.keep(kept, unit, self.weight);
    }
}

impl fmt::Debug for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Planned")
    }
}

/// A subject of any kind whose events were appended.
trait Appended: Send + Sync {
    fn keep(self: Box<Self>, kept: &KeptStates, unit: &[StoredEvent], weight: usize);
}

impl<A: Aggregate> Appended for Subject<A> {
    fn keep(self: Box<Self>, kept: &KeptStates, unit: &[StoredEvent], weight: usize) {
        let last = unit.iter().rfind(|event| event.stream == self.stream);
        let last = last.map(EventIdentity::of);
        kept.advance(&self.stream, self.version, &self.pending, last, weight);
    }
}

/// Loads an aggregate as of the end of the log.
pub(crate) async fn load<A: Aggregate>(
    kept: &KeptStates,
    store: &dyn EventStore,
    id: &str,
) -> Result<Subject<A>, FollowError> {
    let stream = StreamId::new(A::TYPE, id.to_owned());
    let mut version = kept.get::<A>(&stream).unwrap_or_default();
    loop {
        let page = store
            .read_stream_on(&stream, version.sequence, version.last, PAGE)
            .await?;
        if let Some(last) = page.last() {
            let last = Some(EventIdentity::of(last));
            let events = page.iter().map(read).collect::<Result<Vec<A::Event>, _>>()?;
            let weight = page.iter().map(|event| weight(&event.payload)).sum();
            version = kept.advance(&stream, version, &events, last, weight);
        }
        if page.len() < PAGE {
            break;
        }
    }
    Ok(Subject {
        stream,
        version,
        pending: Vec::new(),
    })
}

fn read<E: DomainEvent>(event: &StoredEvent) -> Result<E, FollowError> {
    read_event(event).map_err(|error| FollowError::unread(event.position, error))
}

/// Reads an event of the domain out of the log.
pub fn read_event<E: DomainEvent>(event: &StoredEvent) -> Result<E, DecodeError> {
    recorded(event).read_as()
}
