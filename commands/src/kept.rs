//! States of aggregates that were used lately. A load reads only what was appended since: nothing as a rule.
//!
//! A state moves on in place, however large it is: a campaign that has paid ten thousand creators is not copied for
//! every call. What is kept is bounded by its size, not by its number, since users decide how large an aggregate grows.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use viral_domain::Aggregate;
use viral_store::{EventIdentity, StreamId};

/// The most that the states of one generation weigh together, about in bytes of their events.
const LIMIT: usize = 64 << 20;
/// What an event leaves in a state, as a rule, in bytes.
const OF_EVENT: usize = 64;
/// What an event may have besides: only a longer payload, such as a schema or a text, weighs more.
const USUAL_PAYLOAD: usize = 1_024;
/// What a state weighs by itself, in bytes.
const OF_STATE: usize = 1_024;

/// A state of an aggregate, and where in its stream it is.
#[derive(Debug)]
pub(crate) struct Version<A> {
    pub(crate) state: Arc<A>,
    /// The sequence of the last event that it contains.
    pub(crate) sequence: u64,
    /// Which event that is: a log that went back may have another one there.
    pub(crate) last: Option<EventIdentity>,
    weight: usize,
}

impl<A: Default> Default for Version<A> {
    fn default() -> Version<A> {
        Version {
            state: Arc::default(),
            sequence: 0,
            last: None,
            weight: OF_STATE,
        }
    }
}

/// What an event adds to the weight of a state.
pub(crate) fn weight(payload: &str) -> usize {
    OF_EVENT + payload.len().saturating_sub(USUAL_PAYLOAD)
}

struct Kept {
    state: Arc<dyn Any + Send + Sync>,
    sequence: u64,
    last: Option<EventIdentity>,
    weight: usize,
}

#[derive(Default)]
struct Generation {
    states: HashMap<StreamId, Kept>,
    weight: usize,
}

impl Generation {
    fn remove(&mut self, stream: &StreamId) {
        if let Some(kept) = self.states.remove(stream) {
            self.weight -= kept.weight;
        }
    }
}

/// States in two generations: when the young one is full it becomes the old one, and the old one is forgotten.
#[derive(Default)]
pub(crate) struct KeptStates {
    generations: Mutex<[Generation; 2]>,
}

impl fmt::Debug for KeptStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [young, old] = &*self.lock();
        write!(f, "KeptStates({} and {})", young.states.len(), old.states.len())
    }
}

impl KeptStates {
    /// The newest state that is kept.
    pub(crate) fn get<A: Aggregate>(&self, stream: &StreamId) -> Option<Version<A>> {
        let generations = self.lock();
        let kept = generations
            .iter()
            .find_map(|generation| generation.states.get(stream))?;
        Some(Version {
            state: kept.state.clone().downcast::<A>().ok()?,
            sequence: kept.sequence,
            last: kept.last,
            weight: kept.weight,
        })
    }

    /// Applies the events that follow a state in the log, of this weight together, and keeps the result unless a newer
    /// one is kept already. `last` is the last of them.
    pub(crate) fn advance<A: Aggregate>(
        &self,
        stream: &StreamId,
        mut version: Version<A>,
        events: &[A::Event],
        last: Option<EventIdentity>,
        weight: usize,
    ) -> Version<A> {
        version.last = last;
        version.sequence += events.len() as u64;
        version.weight += weight;
        // Without the one that is kept, ours is the only one as a rule, and then nothing is copied.
        self.forget_until(stream, version.sequence);
        let state = Arc::make_mut(&mut version.state);
        events.iter().for_each(|event| state.evolve(event));
        self.keep(stream, &version);
        version
    }

    fn forget_until(&self, stream: &StreamId, sequence: u64) {
        for generation in &mut *self.lock() {
            if generation
                .states
                .get(stream)
                .is_some_and(|kept| kept.sequence <= sequence)
            {
                generation.remove(stream);
            }
        }
    }

    fn keep<A: Aggregate>(&self, stream: &StreamId, version: &Version<A>) {
        let generations = &mut *self.lock();
        let mut kept = generations
            .iter()
            .filter_map(|generation| generation.states.get(stream));
        if version.weight > LIMIT || kept.any(|kept| kept.sequence > version.sequence) {
            return;
        }
        let [young, old] = generations;
        old.remove(stream);
        young.remove(stream);
        if young.weight + version.weight > LIMIT {
            *old = std::mem::take(young);
        }
        let kept = Kept {
            state: version.state.clone(),
            sequence: version.sequence,
            last: version.last,
            weight: version.weight,
        };
        young.weight += kept.weight;
        young.states.insert(stream.clone(), kept);
    }

    fn lock(&self) -> MutexGuard<'_, [Generation; 2]> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;
    use viral_domain::UserId;
    use viral_domain::user::{Claimed, Login, LoginEvent};

    fn stream(number: usize) -> StreamId {
        StreamId::new(Login::TYPE, number.to_string())
    }

    fn claimed(number: u128) -> [LoginEvent; 1] {
        let user = UserId(Uuid::from_u128(number));
        [LoginEvent::Claimed(Claimed { user })]
    }

    #[test]
    fn a_state_moves_on_in_place_unless_somebody_looks_at_it() {
        let kept = KeptStates::default();
        let first = kept.advance(&stream(1), Version::<Login>::default(), &claimed(1), None, 0);
        let place = Arc::as_ptr(&first.state);
        let second = kept.advance(&stream(1), first, &claimed(2), None, 0);
        assert_eq!((Arc::as_ptr(&second.state), second.sequence), (place, 2));
        let onlooker = kept.get::<Login>(&stream(1)).unwrap();
        let third = kept.advance(&stream(1), second, &claimed(3), None, 0);
        assert_eq!(onlooker.state.user, Some(UserId(Uuid::from_u128(2))));
        assert_eq!(third.state.user, Some(UserId(Uuid::from_u128(3))));
    }

    #[test]
    fn what_is_older_does_not_replace_what_is_newer() {
        let kept = KeptStates::default();
        let stale = || Version::<Login>::default();
        let new = kept.advance(&stream(1), stale(), &[claimed(1), claimed(2)].concat(), None, 0);
        let old = kept.advance(&stream(1), stale(), &claimed(3), None, 0);
        assert_eq!((old.sequence, new.sequence), (1, 2));
        assert_eq!(kept.get::<Login>(&stream(1)).unwrap().sequence, 2);
    }

    #[test]
    fn what_is_kept_is_bounded_by_its_weight() {
        let kept = KeptStates::default();
        let keep =
            |number, weight| kept.advance(&stream(number), Version::<Login>::default(), &claimed(1), None, weight);
        for number in 0..100 {
            keep(number, LIMIT / 10);
            for generation in &*kept.lock() {
                let sum: usize = generation.states.values().map(|kept| kept.weight).sum();
                assert_eq!(generation.weight, sum);
                assert!(sum <= LIMIT && generation.states.len() <= 9, "{sum}");
            }
        }
        let there = |number| kept.get::<Login>(&stream(number)).is_some();
        assert!(there(99) && there(90) && !there(50));
        keep(100, LIMIT);
        assert!(!there(100), "too large to be kept at all");
        // The same aggregate counts once.
        (0..100).for_each(|_| drop(keep(99, LIMIT / 10)));
        assert!(there(90));
    }
}
