//! Events that read models passed by, because a later version of the program wrote them and this one does not know their
//! type: counted for operators, and told once for each type.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use viral_store::{Position, StoredEvent};

/// By read model and type of event: how many there were, and the last one, so that none counts twice.
type Counts = BTreeMap<(&'static str, String), (u64, Position)>;

static PASSED: Mutex<Counts> = Mutex::new(Counts::new());

/// What a read model of this process passed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Which read model.
    pub read_model: &'static str,
    /// The type of the events.
    pub event_type: String,
    /// How many there were since the process was started.
    pub events: u64,
}

/// All that was passed by, in the order of read models and types.
pub fn passed_by() -> Vec<Passed> {
    let passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let told = passed.iter().map(|((read_model, event_type), (events, _))| Passed {
        read_model,
        event_type: event_type.clone(),
        events: *events,
    });
    told.collect()
}

/// A read model goes on without an event.
pub(crate) fn pass_by(read_model: &'static str, event: &StoredEvent) {
    let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (read_model, event.event_type.to_string());
    let (events, last) = passed.entry(key).or_insert((0, Position::START));
    if event.position <= *last {
        return;
    }
    (*events, *last) = (*events + 1, event.position);
    if *events == 1 {
        tracing::warn!(
            projection = read_model, position = %event.position, event_type = %event.event_type,
            "an event that this version of the program does not know: it is passed by, and so are all of its type"
        );
    }
}
