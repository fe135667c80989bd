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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Verdict;
    use crate::book_reader::BookAt;
    use crate::unit::Unit;
    use uuid::Uuid;
    use viral_ledger::account::NormalSide;
    use viral_ledger::{Address, Asset, Command};
    use viral_store::{Check, MemoryStore, Position};

    /// What is said of a unit of one ledger event, after somebody changed it.
    fn checked(change: impl FnOnce(&mut Vec<StoredEvent>)) -> Result<(), String> {
        let (mut state, store) = (BookAt::default(), MemoryStore::new(Uuid::nil()));
        let savepoint = state.book.savepoint();
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let mut batch = Batch::new(&mut state, &store, now, Vec::new(), Check::default());
        let open = Command::OpenAccount {
            account: Address::parse("a").unwrap(),
            asset: Asset::VCOIN,
            normal_side: NormalSide::Debit,
            may_go_negative: false,
        };
        let verdict = batch.decide(&Unit::ledger(Uuid::from_u128(1), open));
        assert!(matches!(verdict, Verdict::Accepted(_)));
        batch.next = Position(1);
        change(&mut batch.events);
        batch.check_unit(0, savepoint).map_err(|error| error.to_string())
    }

    #[test]
    fn a_unit_that_contradicts_itself_is_noticed() {
        assert_eq!(checked(|_| {}), Ok(()));
        let says = |change: fn(&mut Vec<StoredEvent>), text: &str| {
            let error = checked(change).unwrap_err();
            assert!(error.contains("position 1") && error.contains(text), "{error}");
        };
        says(|events| events[0].position = Position(2), "decided for position 2");
        says(
            |events| events[0].sequence = 2,
            "sequence 2 of the book was decided in place of 1",
        );
        says(|events| events.clear(), "0 events moved the book by 1");
    }
}
