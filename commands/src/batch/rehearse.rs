//! Rehearsals: units that are decided like all others and then undone.

use super::{Batch, Verdict};
use crate::unit::Unit;

/// What units are decided for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// They are appended.
    Append,
    /// Somebody wants to know what would happen.
    Rehearse,
}

impl Batch<'_> {
    /// Decides the units of one caller, one after the other.
    pub(crate) fn decide_all(&mut self, units: &[Unit], purpose: Purpose) -> Vec<Verdict> {
        match purpose {
            Purpose::Append => units.iter().map(|unit| self.decide(unit)).collect(),
            Purpose::Rehearse => self.rehearse(units),
        }
    }

    /// Decides units as if they were appended. The batch and the book are as before afterwards.
    fn rehearse(&mut self, units: &[Unit]) -> Vec<Verdict> {
        let (start, next, savepoint) = (self.events.len(), self.next, self.state.book.savepoint());
        let (sequences, accepted) = (self.sequences.clone(), self.accepted.clone());
        let taken_ids = self.taken_ids.clone();
        let verdicts: Vec<Verdict> = units.iter().map(|unit| self.decide(unit)).collect();
        let rehearsed = |verdict| match verdict {
            Verdict::Accepted(range) => Verdict::Rehearsed(self.events[range].to_vec()),
            Verdict::DuplicateInBatch(range) if range.start >= start => Verdict::Rehearsed(self.events[range].to_vec()),
            other => other,
        };
        let verdicts = verdicts.into_iter().map(rehearsed).collect();
        self.state.book.rollback(savepoint);
        self.events.truncate(start);
        self.next = next;
        (self.sequences, self.accepted, self.taken_ids) = (sequences, accepted, taken_ids);
        verdicts
    }
}
