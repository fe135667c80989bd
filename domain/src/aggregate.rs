//! What all aggregates have in common.

use crate::effects::Effect;
use std::fmt::Debug;
use viral_ledger::versions::Versioned;

/// A state machine whose changes are events of one stream.
pub trait Aggregate: Clone + Debug + Default + Send + Sync + 'static {
    /// The type of its stream.
    const TYPE: &'static str;
    /// What can be asked of it.
    type Command: Debug;
    /// What can happen to it.
    type Event: DomainEvent;
    /// Why it refuses; variants in the order of the checks.
    type Error: Refusal;

    /// Answers a command with the events that carry it out, at least one, or with the first reason against it.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Applies an event. An event of the log is a fact: this never fails.
    fn evolve(&mut self, event: &Self::Event);

    /// Whether its first event has happened.
    fn exists(&self) -> bool;
}

/// An event of an aggregate. As JSON it is internally tagged by `type`; [`Versioned`] has its types and their versions.
pub trait DomainEvent: Versioned + Clone + Debug + PartialEq + Send + Sync + 'static {
    /// What it does to the ledger, in the same unit and in this order.
    fn effects(&self) -> Vec<Effect>;
}

/// Why an aggregate refuses a command.
pub trait Refusal: std::error::Error + Clone + PartialEq + Send + Sync + 'static {
    /// A stable name for programs, in snake case.
    fn code(&self) -> &'static str;
}
