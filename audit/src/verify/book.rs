//! What an event of the book does, and what must fit it around it. The book itself checks balances, holds, flags,
//! periods and snapshot hashes as it takes the event in.

use viral_ledger::ids::reversal_of;
use viral_ledger::{Book, BookEvent, timestamp};
use viral_store::StoredEvent;

/// The book so far.
#[derive(Default)]
pub(super) struct BookCheck {
    book: Book,
}

impl BookCheck {
    /// Takes an event in.
    pub(super) fn check(
        &mut self,
        event: &StoredEvent,
        effective_time: Option<&str>,
        book_event: &BookEvent,
    ) -> Result<(), String> {
        let before = self.book.sequence();
        if event.sequence != before + 1 {
            return Err(format!(
                "sequence {} follows {before} in {}",
                event.sequence, event.stream
            ));
        }
        check_effective_time(event, effective_time, book_event)?;
        match book_event {
            BookEvent::HoldPlaced(placed) if placed.hold != event.event_id => {
                return Err(format!(
                    "the hold's id {} is not the event's {}",
                    placed.hold, event.event_id
                ));
            }
            BookEvent::SnapshotTaken(taken) if taken.position != event.position.0 - 1 => {
                let position = taken.position;
                return Err(format!(
                    "the snapshot is of position {position}, not of the one before its event"
                ));
            }
            BookEvent::TransactionPosted(transaction) => {
                if let Some(original) = transaction.reverses
                    && event.event_id != reversal_of(original)
                {
                    return Err(format!("it reverses {original}, but its id does not derive from that"));
                }
            }
            _ => {}
        }
        self.book
            .evolve(event.recorded_at, book_event)
            .map_err(|violation| violation.to_string())
    }

    /// The state so far.
    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// The hash of the state.
    pub(super) fn state_hash(&self) -> String {
        self.book.state_hash()
    }
}

/// The metadata names the effective time where it is not the time of recording, and only there.
fn check_effective_time(
    event: &StoredEvent,
    effective_time: Option<&str>,
    book_event: &BookEvent,
) -> Result<(), String> {
    let expected = match book_event {
        BookEvent::TransactionPosted(transaction) if transaction.effective_at != event.recorded_at => {
            Some(timestamp::to_text(&transaction.effective_at))
        }
        _ => None,
    };
    if effective_time == expected.as_deref() {
        return Ok(());
    }
    let (actual, expected) = (
        effective_time.unwrap_or("absent"),
        expected.as_deref().unwrap_or("absent"),
    );
    Err(format!(
        "effectivetime is {actual} in the metadata, {expected} by the payload"
    ))
}
