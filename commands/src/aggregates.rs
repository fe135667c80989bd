//! Aggregates, loaded from their streams. States that were used lately are kept, so that a load reads only what was
//! appended since: nothing as a rule.

use crate::error::{CommandError, FollowError};
use crate::unit::NewEvent;
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;
use viral_domain::{Aggregate, DomainEvent, Effect};
use viral_store::line::LineError;
use viral_store::{EventStore, StoredEvent, StreamId};

/// How many events of a stream are read at once.
const PAGE: usize = 500;
/// How many states are kept in each of two generations.
const KEPT: usize = 4_096;

/// An aggregate under way: its state, and what is about to happen to it.
#[derive(Debug)]
pub(crate) struct Subject<A: Aggregate> {
    pub(crate) stream: StreamId,
    /// The sequence of the last event in the log.
    pub(crate) sequence: u64,
    state: Arc<A>,
    pending: Vec<A::Event>,
}

impl<A: Aggregate> Subject<A> {
    /// The state, with what is about to happen.
    pub(crate) fn state(&self) -> &A {
        &self.state
    }

    /// Decides a command and applies its events.
    pub(crate) fn decide(&mut self, command: &A::Command) -> Result<(), CommandError> {
        let events = self
            .state
            .decide(command)
            .map_err(|refusal| CommandError::refusal(&refusal))?;
        let state = Arc::make_mut(&mut self.state);
        events.iter().for_each(|event| state.evolve(event));
        self.pending.extend(events);
        Ok(())
    }

    /// What is about to happen.
    pub(crate) fn pending(&self) -> &[A::Event] {
        &self.pending
    }

    /// The events as they will be stored, what they do to the ledger, and the state after them.
    pub(crate) fn finish(self) -> Result<(Vec<NewEvent>, Vec<Effect>, KeptState), LineError> {
        let events = self.pending.iter();
        let new = events.map(|event| NewEvent::new(event.event_type(), A::Event::VERSION, event));
        let new = new.collect::<Result<Vec<_>, _>>()?;
        let effects = self.pending.iter().flat_map(DomainEvent::effects).collect();
        let kept = KeptState {
            sequence: self.sequence + new.len() as u64,
            stream: self.stream,
            state: self.state,
        };
        Ok((new, effects, kept))
    }
}

/// A state that is worth keeping once its events are in the log.
pub(crate) struct KeptState {
    stream: StreamId,
    sequence: u64,
    state: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for KeptState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.stream, self.sequence)
    }
}

/// States that were used lately, in two generations: when the young one is full it becomes the old one.
#[derive(Debug, Default)]
pub(crate) struct Aggregates {
    generations: Mutex<[HashMap<StreamId, KeptState>; 2]>,
}

impl Aggregates {
    /// Loads an aggregate as of the end of the log.
    pub(crate) async fn load<A: Aggregate>(&self, store: &dyn EventStore, id: Uuid) -> Result<Subject<A>, FollowError> {
        self.load_named(store, &id.to_string()).await
    }

    /// As [`Aggregates::load`], by an id that is no UUID.
    pub(crate) async fn load_named<A: Aggregate>(
        &self,
        store: &dyn EventStore,
        id: &str,
    ) -> Result<Subject<A>, FollowError> {
        let stream = StreamId::new(A::TYPE, id.to_owned());
        let (mut state, mut sequence) = self.kept::<A>(&stream).unwrap_or_default();
        let before = sequence;
        loop {
            let page = store.read_stream(&stream, sequence, PAGE).await?;
            let full = page.len() == PAGE;
            for event in page {
                let read = read_event::<A::Event>(&event).map_err(|problem| FollowError::Broken {
                    position: event.position,
                    problem,
                })?;
                Arc::make_mut(&mut state).evolve(&read);
                sequence = event.sequence;
            }
            if !full {
                break;
            }
        }
        if sequence > before {
            let (stream, state) = (stream.clone(), state.clone());
            self.keep(KeptState {
                stream,
                sequence,
                state,
            });
        }
        Ok(Subject {
            stream,
            sequence,
            state,
            pending: Vec::new(),
        })
    }

    fn kept<A: Aggregate>(&self, stream: &StreamId) -> Option<(Arc<A>, u64)> {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = generations.iter().find_map(|generation| generation.get(stream))?;
        let state = kept.state.clone().downcast::<A>().ok()?;
        Some((state, kept.sequence))
    }

    /// Keeps a state, unless a newer one is there.
    pub(crate) fn keep(&self, kept: KeptState) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let [young, old] = &mut *generations;
        let newest = [&*young, &*old]
            .into_iter()
            .find_map(|generation| generation.get(&kept.stream));
        if newest.is_some_and(|newest| newest.sequence > kept.sequence) {
            return;
        }
        if young.len() >= KEPT {
            *old = std::mem::take(young);
        }
        young.insert(kept.stream.clone(), kept);
    }
}

/// Reads an event of the domain out of the log.
pub fn read_event<E: DomainEvent>(event: &StoredEvent) -> Result<E, String> {
    if event.event_version != E::VERSION {
        return Err(format!(
            "version {:?} of {} is unknown",
            event.event_version, event.event_type
        ));
    }
    let read: E = serde_json::from_str(&event.payload).map_err(|e| format!("payload: {e}"))?;
    if read.event_type() != event.event_type {
        return Err(format!(
            "the payload's type is {}, the event's {}",
            read.event_type(),
            event.event_type
        ));
    }
    Ok(read)
}
