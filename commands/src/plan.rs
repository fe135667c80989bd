//! What a use case wants to append: one unit, put together from what was decided for each aggregate.

use crate::aggregates::{Finished, Planned, Subject};
use crate::error::CommandError;
use crate::kept::KeptStates;
use crate::unit::{Guard, Part};
use uuid::Uuid;
use viral_domain::{Aggregate, DomainEvent, Effect};
use viral_ledger::Command;
use viral_store::StoredEvent;

/// What a use case wants to append, all or nothing.
#[derive(Debug, Default)]
pub struct Plan {
    pub(crate) parts: Vec<Part>,
    pub(crate) guards: Vec<Guard>,
    planned: Vec<Planned>,
}

impl Plan {
    /// Adds what is about to happen to an aggregate, and what that does to the ledger. One to which nothing happens
    /// must not move meanwhile.
    pub(crate) fn add<A: Aggregate>(&mut self, subject: Subject<A>) -> Result<(), CommandError> {
        let Finished {
            stream,
            expected,
            events,
            effects,
            planned,
        } = subject.finish()?;
        if events.is_empty() {
            self.guards.push(Guard {
                stream,
                sequence: expected,
            });
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

    /// What it does to the ledger, each under the id that its event would have.
    pub(crate) fn ledger_commands(&self) -> Vec<(Uuid, Command)> {
        let of_part = |part: &Part| match part {
            Part::Ledger { id, command } => Some((id.unwrap_or_else(Uuid::now_v7), command.clone())),
            Part::Events { .. } | Part::Snapshot => None,
        };
        self.parts.iter().filter_map(of_part).collect()
    }

    /// The planned events of one aggregate's kind, read back from their texts.
    fn events<E: DomainEvent>(&self, aggregate_type: &str) -> Vec<E> {
        let of_part = |part: &Part| match part {
            Part::Events { stream, events, .. } if stream.aggregate_type == aggregate_type => events.clone(),
            _ => Vec::new(),
        };
        let events = self.parts.iter().flat_map(of_part);
        events
            .filter_map(|event| serde_json::from_str(&event.payload).ok())
            .collect()
    }
}

/// What would happen: the outcome of a dry run.
#[derive(Debug)]
pub struct Rehearsal {
    pub(crate) plan: Plan,
}

impl Rehearsal {
    /// The events of one kind of aggregate that would be appended.
    pub fn events<A: Aggregate>(&self) -> Vec<A::Event> {
        self.plan.events(A::TYPE)
    }
}
