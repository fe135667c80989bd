//! What the answers to all writes of the domain have in common: they are read back from the unit's events, and say where
//! and when those were recorded.

use crate::error;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::write::Written;
use serde::Serialize;
use utoipa::ToSchema;
use viral_domain::Aggregate;
use viral_store::event::time_text;

/// Where and when a unit entered the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordedUnit)]
pub(crate) struct Recorded {
    /// The position of its last event: the `min_position` of whoever wants to see all of it.
    #[schema(value_type = schemas::Position)]
    position: String,
    /// When it was recorded.
    #[schema(value_type = schemas::Time)]
    recorded_at: String,
}

impl Written {
    /// Where and when the unit entered the log.
    pub(crate) fn recorded(&self) -> Result<Recorded, Problem> {
        let last = self.event()?;
        Ok(Recorded {
            position: last.position.to_string(),
            recorded_at: time_text(&last.recorded_at),
        })
    }

    /// What the first event of this kind of aggregate says that `pick` takes. The use case has decided one, so there is
    /// one.
    pub(crate) fn find<A: Aggregate, T>(&self, pick: impl FnMut(A::Event) -> Option<T>) -> Result<T, Problem> {
        self.find_if::<A, T>(pick).ok_or_else(silent)
    }

    /// The same, where the unit may have no such event.
    pub(crate) fn find_if<A: Aggregate, T>(&self, pick: impl FnMut(A::Event) -> Option<T>) -> Option<T> {
        self.events_of::<A>().into_iter().find_map(pick)
    }
}

/// The problem of a unit that does not say what its answer says.
pub(crate) fn silent() -> Problem {
    error::internal(&"a unit has none of the events that its answer is made of")
}
