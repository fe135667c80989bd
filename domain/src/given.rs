//! Given these events, when this is asked, then that happens: the form of every test of a decision.

use crate::aggregate::{Aggregate, Refusal};
use viral_ledger::versions::Versioned as _;

/// An aggregate with a past.
pub(crate) struct Given<A> {
    state: A,
}

/// What an aggregate answered, and the state that it answered from.
pub(crate) struct When<A: Aggregate> {
    state: A,
    answer: Result<Vec<A::Event>, A::Error>,
}

/// Begins a test with what has happened so far.
pub(crate) fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::default();
    for event in events {
        state.evolve(&event);
    }
    Given { state }
}

impl<A: Aggregate> Given<A> {
    /// Asks for something.
    pub(crate) fn when(self, command: A::Command) -> When<A> {
        let answer = self.state.decide(&command);
        let state = self.state;
        When { state, answer }
    }

    /// The state that the past led to.
    pub(crate) fn state(self) -> A {
        self.state
    }
}

impl<A: Aggregate> When<A> {
    /// Exactly these events, in this order; each of them survives the way through the log. Goes on from the new state.
    pub(crate) fn then(self, events: impl IntoIterator<Item = A::Event>) -> Given<A> {
        let events: Vec<A::Event> = events.into_iter().collect();
        assert_eq!(self.answer.as_ref(), Ok(&events));
        let mut state = self.state;
        for event in &events {
            let json = serde_json::to_value(event).expect("events are JSON");
            assert_eq!(json["type"], event.event_type(), "the JSON is tagged by the type");
            assert_eq!(
                serde_json::from_value::<A::Event>(json).as_ref().ok(),
                Some(event),
                "read again"
            );
            state.evolve(event);
        }
        Given { state }
    }

    /// This refusal.
    pub(crate) fn then_error(self, error: A::Error) {
        assert!(!error.code().is_empty() && !error.to_string().is_empty());
        assert_eq!(self.answer, Err(error));
    }

    /// The refusal, for tests that look at it in their own way.
    pub(crate) fn error(self) -> A::Error {
        self.answer.expect_err("a refusal")
    }

    /// What was answered.
    pub(crate) fn answer(self) -> Result<Vec<A::Event>, A::Error> {
        self.answer
    }
}
