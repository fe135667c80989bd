//! What a use case wants to append, put together from what was decided for each aggregate.

use crate::aggregates::{Finished, Planned, Subject};
use crate::error::CommandError;
use crate::kept::KeptStates;
use crate::unit::Part;
use viral_domain::{Aggregate, Effect};
use viral_ledger::Command;
use viral_store::StoredEvent;

/// What a use case wants to append, all or nothing.
#[derive(Debug, Default)]
pub struct Plan {
    pub(crate) parts: Vec<Part>,
    planned: Vec<Planned>,
}

impl Plan {
    /// Adds what is about to happen to an aggregate, and what that does to the ledger: to some, nothing.
    pub(crate) fn add<A: Aggregate>(&mut self, subject: Subject<A>) -> Result<(), CommandError> {
        let Finished {
            stream,
            expected,
            events,
            effects,
            planned,
        } = subject.finish()?;
        if events.is_empty() {
            return Ok(());
        }
        self.parts.push(Part::Events {
            stream,
            expected,
            events,
        });
        let ledger = |Effect { id, command }| Part::Ledger { id, command };
        self.parts.extend(effects.into_iter().map(ledger));
        self.planned.push(planned);
        Ok(())
    }

    /// A plan that does this to one aggregate.
    pub(crate) fn of<A: Aggregate>(subject: Subject<A>) -> Result<Plan, CommandError> {
        let mut plan = Plan::default();
        plan.add(subject)?;
        Ok(plan)
    }

    /// Adds a command to the ledger that no event of the domain stands for.
    pub(crate) fn add_ledger(&mut self, command: Command) {
        self.parts.push(Part::Ledger { id: None, command });
    }

    /// The unit's events are in the log: the states after them are kept.
    pub(crate) fn keep(self, kept: &KeptStates, unit: &[StoredEvent]) {
        self.planned.into_iter().for_each(|planned| planned.keep(kept, unit));
    }
}
