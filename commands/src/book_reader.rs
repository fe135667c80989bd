//! A book that follows the log: from the newest snapshot whose hash holds, and the events after it.

use crate::error::FollowError;
use viral_domain::Recorded;
use viral_domain::decode::DecodeError;
use viral_ledger::{Book, BookEvent};
use viral_store::{EventStore, LockedHead, Position, StoredEvent};

/// How many events are read at once while catching up.
const PAGE: usize = 4_096;

/// A book and the place in the log that it has come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BookAt {
    /// The state.
    pub book: Book,
    /// The last position that is part of it.
    pub position: Position,
    /// The last position that the newest snapshot event covers.
    pub snapshot: Position,
}

impl BookAt {
    /// Loads the newest snapshot at or before a position whose hash is the one in the log; an empty book where there is
    /// none.
    pub async fn load(store: &dyn EventStore, at_most: Position) -> Result<BookAt, FollowError> {
        let mut at_most = at_most;
        while let Some(snapshot) = store.snapshot_at(at_most).await? {
            let event = store.read_after(snapshot.position, 1).await?.pop();
            if let Some(loaded) = event.and_then(|event| from_snapshot(&event, snapshot.position, &snapshot.state)) {
                return Ok(loaded);
            }
            tracing::warn!(position = %snapshot.position, "a snapshot does not hold, an older one is used");
            match snapshot.position.0.checked_sub(1) {
                Some(before) => at_most = Position(before),
                None => break,
            }
        }
        Ok(BookAt::default())
    }

    /// Takes in the log from the store, up to a position at most.
    pub async fn follow(&mut self, store: &dyn EventStore, up_to: Position) -> Result<(), FollowError> {
        while self.position < up_to {
            let events = store.read_after(self.position, self.page(up_to)).await?;
            self.take(events, up_to)?;
        }
        Ok(())
    }

    /// Takes in the log up to its locked head.
    pub(crate) async fn catch_up(&mut self, locked: &mut dyn LockedHead) -> Result<(), FollowError> {
        let up_to = locked.head().position;
        while self.position < up_to {
            let events = locked.read_after(self.position, self.page(up_to)).await?;
            self.take(events, up_to)?;
        }
        Ok(())
    }

    fn page(&self, up_to: Position) -> usize {
        usize::try_from(up_to.0 - self.position.0).map_or(PAGE, |rest| rest.min(PAGE))
    }

    fn take(&mut self, events: Vec<StoredEvent>, up_to: Position) -> Result<(), FollowError> {
        if events.is_empty() {
            let problem = format!("missing, though the head of the log is {up_to}");
            return Err(FollowError::broken(self.position.next(), problem));
        }
        events.iter().try_for_each(|event| self.apply(event))
    }

    /// Takes in the next event of the log.
    pub fn apply(&mut self, event: &StoredEvent) -> Result<(), FollowError> {
        let next = self.position.next();
        if event.position != next {
            return Err(FollowError::broken(
                next,
                format!("missing, position {} follows", event.position),
            ));
        }
        if event.stream.aggregate_type == BookEvent::AGGREGATE_TYPE {
            let book_event = book_event(event).map_err(|error| FollowError::unread(next, error))?;
            if event.sequence != self.book.sequence() + 1 {
                let problem = format!("sequence {} follows {}", event.sequence, self.book.sequence());
                return Err(FollowError::broken(next, problem));
            }
            let applied = self.book.evolve(event.recorded_at, &book_event);
            applied.map_err(|violation| FollowError::violation(next, &violation))?;
            if let BookEvent::SnapshotTaken(taken) = &book_event {
                if taken.position != self.position.0 {
                    let problem = format!("a snapshot of position {} after {}", taken.position, self.position);
                    return Err(FollowError::broken(next, problem));
                }
                self.snapshot = self.position;
            }
        }
        self.position = next;
        Ok(())
    }
}

/// Reads an event of the book's stream.
pub fn book_event(event: &StoredEvent) -> Result<BookEvent, DecodeError> {
    recorded(event).book()
}

/// What decoding asks of an event of the log.
pub(crate) fn recorded(event: &StoredEvent) -> Recorded<'_> {
    Recorded {
        aggregate_type: &event.stream.aggregate_type,
        aggregate_id: &event.stream.aggregate_id,
        event_type: &event.event_type,
        version: &event.event_version,
        payload: &event.payload,
    }
}

fn from_snapshot(event: &StoredEvent, position: Position, state: &str) -> Option<BookAt> {
    let Ok(BookEvent::SnapshotTaken(taken)) = book_event(event) else {
        return None;
    };
    if taken.position != position.0 || taken.state_hash != Book::hash_of_text(state) {
        return None;
    }
    let book = Book::from_state_text(state, event.sequence.checked_sub(1)?).ok()?;
    Some(BookAt {
        book,
        position,
        snapshot: position,
    })
}
