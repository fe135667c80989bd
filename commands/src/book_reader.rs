//! A book that follows the log: from the newest snapshot whose hash holds, and the events after it.

use crate::error::FollowError;
use viral_domain::Aggregate as _;
use viral_domain::Recorded;
use viral_domain::acceptance::{Acceptances, CLOCK_ACCEPTED};
use viral_domain::decode::DecodeError;
use viral_ledger::{Book, BookEvent};
use viral_store::{Checkpoint, EventStore, LockedHead, Position, Snapshot, StoredEvent};

/// How many events are read at once while catching up.
const PAGE: usize = 4_096;

/// A book and the place in the log that it has come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BookAt {
    /// The state.
    pub book: Book,
    /// The last event that is part of it, and by which history.
    pub at: Checkpoint,
    /// The last position that the newest snapshot event covers.
    pub snapshot: Position,
    /// Where somebody last said that the clock of the log's server is right as it is; [`Position::START`] if nobody did.
    pub clock_accepted: Position,
}

impl BookAt {
    /// Loads the newest snapshot at or before a position whose hash is the one in the log; an empty book where there is
    /// none.
    pub async fn load(store: &dyn EventStore, at_most: Position) -> Result<BookAt, FollowError> {
        let mut at_most = at_most;
        while let Some(snapshot) = store.snapshot_at(at_most).await? {
            let before = Position(snapshot.position.0.saturating_sub(1));
            let around = store.read_after(before, 2).await?;
            if let Some(loaded) = from_snapshot(&around, &snapshot) {
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

    /// Loads the book as of the end of the log, for a process that has seen nothing yet. What was loaded from a snapshot
    /// is believed only if the digest that was kept with it leads to the head's.
    pub async fn load_at_head(store: &dyn EventStore) -> Result<BookAt, FollowError> {
        let mut at_most = Position(u64::MAX);
        loop {
            let mut state = BookAt::load(store, at_most).await?;
            let loaded = state.at.position;
            let head = store.head().await?;
            match state.follow(store, head.position).await {
                // The log can be read all the same; whoever appends, or asks the book, is told.
                Err(error @ FollowError::Unknown { .. }) => {
                    tracing::error!(%error, "nothing will be decided");
                    return Ok(state);
                }
                followed => followed?,
            }
            match state.at.compare(&head) {
                Ok(()) => return Ok(state),
                Err(_) if loaded > Position::START => {
                    tracing::warn!(position = %loaded, "a snapshot is of another history, an older one is used");
                    at_most = Position(loaded.0 - 1);
                }
                Err(_) => {
                    let problem = "the digest of the head is not that of the events";
                    return Err(FollowError::broken(head.position, problem));
                }
            }
        }
    }

    /// Takes in the log from the store, up to a position at most.
    pub async fn follow(&mut self, store: &dyn EventStore, up_to: Position) -> Result<(), FollowError> {
        while self.position() < up_to {
            let events = store.read_on(&self.at, self.page(up_to)).await?;
            self.take(events, up_to)?;
        }
        Ok(())
    }

    /// Takes in the log up to its locked head, which must be the one that this state comes from.
    pub(crate) async fn catch_up(
        &mut self,
        store: &dyn EventStore,
        locked: &mut dyn LockedHead,
    ) -> Result<(), FollowError> {
        let head = locked.head();
        while self.position() < head.position {
            let read = locked.read_on(&self.at, self.page(head.position)).await;
            let events = store.continuity().watch(read)?;
            self.take(events, head.position)?;
        }
        store.compare(&self.at, &head)?;
        Ok(())
    }

    /// The last position that is part of the state.
    pub fn position(&self) -> Position {
        self.at.position
    }

    fn page(&self, up_to: Position) -> usize {
        usize::try_from(up_to.0 - self.position().0).map_or(PAGE, |rest| rest.min(PAGE))
    }

    fn take(&mut self, events: Vec<StoredEvent>, up_to: Position) -> Result<(), FollowError> {
        if events.is_empty() {
            let problem = format!("missing, though the head of the log is {up_to}");
            return Err(FollowError::broken(self.position().next(), problem));
        }
        events.iter().try_for_each(|event| self.apply(event))
    }

    /// Takes in the next event of the log.
    pub fn apply(&mut self, event: &StoredEvent) -> Result<(), FollowError> {
        let next = self.position().next();
        if event.position != next {
            return Err(FollowError::broken(
                next,
                format!("missing, position {} follows", event.position),
            ));
        }
        if recorded(event).is_of_book() {
            let book_event = book_event(event).map_err(|error| FollowError::unread(next, error))?;
            if event.sequence != self.book.sequence() + 1 {
                let problem = format!("sequence {} follows {}", event.sequence, self.book.sequence());
                return Err(FollowError::broken(next, problem));
            }
            let applied = self.book.evolve(event.recorded_at, &book_event);
            applied.map_err(|violation| FollowError::violation(next, &violation))?;
            if let BookEvent::SnapshotTaken(taken) = &book_event {
                if taken.position != self.position().0 {
                    let problem = format!("a snapshot of position {} after {}", taken.position, self.position());
                    return Err(FollowError::broken(next, problem));
                }
                self.snapshot = self.position();
            }
        }
        if event.stream.aggregate_type == Acceptances::TYPE && event.event_type == CLOCK_ACCEPTED {
            self.clock_accepted = next;
        }
        self.at = self.at.after(event);
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

/// The state of a snapshot, if it is the one that the event behind it says. `around` are the events at its position and
/// behind it.
fn from_snapshot(around: &[StoredEvent], snapshot: &Snapshot) -> Option<BookAt> {
    let position = snapshot.position;
    let (last, taken) = match around {
        [event, ..] if position == Position::START => (None, event),
        [last, event] if last.position == position => (Some(last), event),
        _ => return None,
    };
    let Ok(BookEvent::SnapshotTaken(hashed)) = book_event(taken) else {
        return None;
    };
    if hashed.position != position.0 || hashed.state_hash != Book::hash_of_text(&snapshot.state) {
        return None;
    }
    let book = Book::from_state_text(&snapshot.state, taken.sequence.checked_sub(1)?).ok()?;
    Some(BookAt {
        book,
        at: last.map_or(Checkpoint::START, |last| Checkpoint {
            digest: snapshot.digest,
            ..Checkpoint::at(last)
        }),
        snapshot: position,
        clock_accepted: Position::START,
    })
}
