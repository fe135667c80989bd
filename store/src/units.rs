//! Where a batch may end: between units, so that nobody who follows the log sees half of what happened at once.

use crate::event::StoredEvent;
use uuid::Uuid;

/// The unit that an event was appended with. One whose metadata cannot be read counts as a unit of its own.
pub fn unit(event: &StoredEvent) -> Uuid {
    event
        .parse_metadata()
        .map_or(event.event_id, |metadata| metadata.unit_id)
}

/// How many events from the start are whole units, when more events may follow the last one; zero if all of them
/// belong to one unit.
pub fn whole(events: &[StoredEvent]) -> usize {
    let Some(last) = events.last() else { return 0 };
    start_of(events, events.len() - 1, unit(last))
}

/// The index of the first event of the unit that an event belongs to.
pub fn start(events: &[StoredEvent], index: usize) -> usize {
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
    use crate::event::{Metadata, Position, StreamId};

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
