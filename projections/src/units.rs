//! Where a batch may end: between units, so that a reader of a table never sees half of what happened at once.

use std::time::Duration;
use uuid::Uuid;
use viral_store::feed::Feed;
use viral_store::{Position, StoreError, StoredEvent};

/// The unit that an event was appended with. One whose metadata cannot be read counts as a unit of its own.
fn unit(event: &StoredEvent) -> Uuid {
    event
        .parse_metadata()
        .map_or(event.event_id, |metadata| metadata.unit_id)
}

/// The next events after a position in whole units, about `limit` of them; none if there are none in time.
pub(crate) async fn read_after(
    feed: &mut dyn Feed,
    after: Position,
    limit: usize,
    timeout: Duration,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut events = feed.read_after(after, limit, timeout).await?;
    // A short page ends where the log ends, and units are appended as a whole.
    let mut more = events.len() >= limit;
    while more {
        let count = whole(&events);
        if count > 0 {
            events.truncate(count);
            break;
        }
        let last = events.last().map_or(after, |event| event.position);
        let page = feed.read_after(last, limit, Duration::ZERO).await?;
        more = page.len() >= limit;
        events.extend(page);
    }
    Ok(events)
}

/// How many events from the start are whole units, when more events may follow the last one; zero if all of them
/// belong to one unit.
fn whole(events: &[StoredEvent]) -> usize {
    let Some(last) = events.last() else { return 0 };
    start_of(events, events.len() - 1, unit(last))
}

/// The index of the first event of the unit that an event belongs to.
pub(crate) fn start(events: &[StoredEvent], index: usize) -> usize {
    events
        .get(index)
        .map_or(index, |event| start_of(events, index, unit(event)))
}

fn start_of(events: &[StoredEvent], index: usize, wanted: Uuid) -> usize {
    let before = events[..index].iter().rev();
    index - before.take_while(|event| unit(event) == wanted).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use viral_store::{Metadata, Position, StreamId};

    fn event(position: u64, unit: u128) -> StoredEvent {
        let metadata = Metadata {
            unit_id: Uuid::from_u128(unit),
            ..Metadata::default()
        };
        StoredEvent {
            position: Position(position),
            event_id: Uuid::from_u128(1_000 + u128::from(position)),
            stream: StreamId::new("note", "a"),
            sequence: position,
            event_type: "note.taken".into(),
            event_version: "1".into(),
            payload: "{}".to_owned(),
            metadata: serde_json::to_string(&metadata).unwrap(),
            recorded_at: Default::default(),
        }
    }

    #[test]
    fn a_batch_ends_before_the_last_unit() {
        let events = [event(1, 1), event(2, 2), event(3, 2), event(4, 3), event(5, 3)];
        assert_eq!(whole(&events), 3);
        assert_eq!(whole(&events[..3]), 1);
        assert_eq!(whole(&events[..1]), 0);
        assert_eq!(whole(&events[1..3]), 0);
        assert_eq!(whole(&[]), 0);
        assert_eq!([0, 1, 2, 3, 4].map(|index| start(&events, index)), [0, 1, 1, 3, 3]);
    }

    #[test]
    fn what_cannot_be_read_is_a_unit_of_its_own() {
        let mut events = [event(1, 1), event(2, 2), event(3, 2)];
        events[1].metadata = "?".to_owned();
        assert_eq!(whole(&events), 2);
    }
}
