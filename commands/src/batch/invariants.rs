//! What holds of every unit that was decided, whatever it says. A unit for which it does not is refused before it reaches
//! the log: there it could not be mended.

use super::Batch;
use crate::error::AppendError;
use viral_ledger::BookEvent;
use viral_ledger::book::Savepoint;
use viral_store::StoredEvent;

impl Batch<'_> {
    /// Checks the events of the unit that was decided since a savepoint; they begin at this place of the batch.
    pub(super) fn check_unit(&self, start: usize, savepoint: Savepoint) -> Result<(), AppendError> {
        let broken = |problem| AppendError::LogBroken {
            position: self.next,
            problem,
        };
        let events = self.events.get(start..).unwrap_or_default();
        for (event, position) in events.iter().zip(self.next.0..) {
            if event.position.0 != position {
                return Err(broken(format!("an event was decided for position {}", event.position)));
            }
        }
        let book = &self.state.book;
        let of_book = |event: &&StoredEvent| event.stream.aggregate_type == BookEvent::AGGREGATE_TYPE;
        for (event, sequence) in events.iter().filter(of_book).zip(savepoint.sequence() + 1..) {
            if event.sequence != sequence {
                let problem = format!(
                    "sequence {} of the book was decided in place of {sequence}",
                    event.sequence
                );
                return Err(broken(problem));
            }
        }
        let moved = book.sequence() - savepoint.sequence();
        let count = events.iter().filter(of_book).count();
        if moved != count as u64 {
            return Err(broken(format!("{count} events moved the book by {moved}")));
        }
        match book.unbalanced_since(savepoint) {
            None => Ok(()),
            Some(asset) => Err(broken(format!("the debits of {asset} would not be its credits"))),
        }
    }
}
