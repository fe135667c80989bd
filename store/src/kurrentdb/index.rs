//! Where everything is: which record holds a position, where an id is, and which positions a stream has.
//!
//! KurrentDB has one order to a stream and no index of ours, so this is kept in memory and built at start from the whole
//! log. It costs about 100 bytes an event (measured: docs/adr/0013-homes-of-the-log.md); what the events say is not in it.

use crate::event::{StoredEvent, StreamId};
use crate::port::Head;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The records of a log from revision 1 on.
#[derive(Debug, PartialEq)]
pub(super) struct Index {
    head: Head,
    /// The id of the last record, which is fresh with every append.
    last_record: Option<Uuid>,
    /// The first position of each record; that of revision 1 comes first.
    firsts: Vec<u64>,
    ids: HashMap<Uuid, u64>,
    /// The positions of each stream by type and id; sequence n is at place n − 1.
    streams: HashMap<Box<str>, HashMap<Box<str>, Vec<u64>>>,
}

impl Index {
    pub(super) fn new() -> Index {
        Index {
            head: Head::EMPTY,
            last_record: None,
            firsts: Vec::new(),
            ids: HashMap::new(),
            streams: HashMap::new(),
        }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// The revision of the last record; 0 is the header.
    pub(super) fn last_revision(&self) -> u64 {
        self.firsts.len() as u64
    }

    /// The revision and the id of the last record. The id of the header is not kept.
    pub(super) fn last_record(&self) -> (u64, Option<Uuid>) {
        (self.last_revision(), self.last_record)
    }

    /// Whether these events may follow: their positions without a gap, every id new, every sequence the next one.
    pub(super) fn check(&self, events: &[StoredEvent]) -> Result<(), String> {
        if events.is_empty() {
            return Err("no events".to_owned());
        }
        let mut next = self.head.position.next();
        let mut ids = HashSet::with_capacity(events.len());
        let mut sequences: HashMap<&StreamId, u64> = HashMap::new();
        for event in events {
            if event.position != next {
                return Err(format!("position {} where {next} should be", event.position));
            }
            if self.ids.contains_key(&event.event_id) || !ids.insert(event.event_id) {
                return Err(format!("position {next}: the id {} is there twice", event.event_id));
            }
            let last = sequences
                .entry(&event.stream)
                .or_insert_with(|| self.last_sequence(&event.stream));
            if event.sequence != *last + 1 {
                let (stream, sequence) = (&event.stream, event.sequence);
                return Err(format!(
                    "position {next}: {stream} has sequence {sequence} after {last}"
                ));
            }
            *last += 1;
            next = next.next();
        }
        Ok(())
    }

    /// Takes in the events of the next record, which were checked.
    pub(super) fn add(&mut self, record: Uuid, events: &[StoredEvent]) {
        let Some(first) = events.first() else { return };
        self.last_record = Some(record);
        self.firsts.push(first.position.0);
        for event in events {
            self.ids.insert(event.event_id, event.position.0);
            self.positions_mut(&event.stream).push(event.position.0);
        }
        self.head = self.head.after(events);
    }

    fn positions_mut(&mut self, stream: &StreamId) -> &mut Vec<u64> {
        let (kind, id) = (stream.aggregate_type.as_ref(), stream.aggregate_id.as_ref());
        let of_kind = self.streams.entry(kind.into()).or_default();
        of_kind.entry(id.into()).or_default()
    }

    /// The positions of a stream, in order.
    pub(super) fn positions(&self, stream: &StreamId) -> &[u64] {
        let of_kind = self.streams.get(stream.aggregate_type.as_ref());
        let positions = of_kind.and_then(|of_kind| of_kind.get(stream.aggregate_id.as_ref()));
        positions.map_or(&[], Vec::as_slice)
    }

    pub(super) fn last_sequence(&self, stream: &StreamId) -> u64 {
        self.positions(stream).len() as u64
    }

    pub(super) fn position_of(&self, id: &Uuid) -> Option<u64> {
        self.ids.get(id).copied()
    }

    /// The revision of the record that holds a position of the log.
    pub(super) fn revision_of(&self, position: u64) -> u64 {
        self.firsts.partition_point(|first| *first <= position) as u64
    }

    /// The first position of a record.
    pub(super) fn first_of(&self, revision: u64) -> Option<u64> {
        let place = usize::try_from(revision.checked_sub(1)?).ok()?;
        self.firsts.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Position;
    use chrono::DateTime;

    fn event(position: u64, stream: &'static str, sequence: u64) -> StoredEvent {
        StoredEvent {
            position: Position(position),
            event_id: Uuid::from_u128(u128::from(position)),
            stream: StreamId::new("note", stream),
            sequence,
            event_type: "note.taken".into(),
            event_version: "1".into(),
            payload: "{}".to_owned(),
            metadata: "{}".to_owned(),
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn positions_ids_and_streams_are_found() {
        let mut index = Index::new();
        for record in [vec![event(1, "a", 1), event(2, "b", 1)], vec![event(3, "a", 2)]] {
            index.check(&record).unwrap();
            index.add(Uuid::nil(), &record);
        }
        assert_eq!((index.head().position, index.last_revision()), (Position(3), 2));
        assert_eq!([1, 2, 3].map(|position| index.revision_of(position)), [1, 1, 2]);
        assert_eq!(
            (index.first_of(0), index.first_of(2), index.first_of(3)),
            (None, Some(3), None)
        );
        assert_eq!(index.positions(&StreamId::new("note", "a")), [1, 3]);
        assert_eq!(index.last_sequence(&StreamId::new("note", "c")), 0);
        assert_eq!(index.position_of(&Uuid::from_u128(2)), Some(2));
    }

    #[test]
    fn what_does_not_follow_is_named() {
        let mut index = Index::new();
        index.add(Uuid::nil(), &[event(1, "a", 1)]);
        let same_id = StoredEvent {
            event_id: Uuid::from_u128(1),
            ..event(2, "a", 2)
        };
        for (events, problem) in [
            (vec![], "no events"),
            (vec![event(3, "a", 2)], "position 3 where 2 should be"),
            (vec![event(2, "a", 2), event(2, "a", 3)], "position 2 where 3 should be"),
            (vec![same_id], "twice"),
            (vec![event(2, "a", 3)], "has sequence 3 after 1"),
            (vec![event(2, "b", 1), event(3, "b", 1)], "has sequence 1 after 1"),
        ] {
            let error = index.check(&events).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    /// The figure of the ADR: `cargo test --workspace --lib -- --ignored --nocapture memory_of_a_million_events`.
    #[test]
    #[ignore = "a measurement"]
    fn memory_of_a_million_events() {
        let resident = || {
            let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
            pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
        };
        let before = resident();
        let mut index = Index::new();
        let (mut book, mut stream) = (0, 0);
        for position in 1..=1_000_000_u64 {
            // As a campaign's life has it: every second event is the ledger's, and a stream has five.
            let mut event = event(position, "main", book + 1);
            if position % 2 == 0 {
                stream += u64::from(position % 10 == 0);
                event.stream = StreamId::new("assignment", Uuid::from_u128(u128::from(stream)).to_string());
            } else {
                book += 1;
            }
            event.event_id = Uuid::now_v7();
            index.add(Uuid::now_v7(), &[event]);
        }
        println!("{} bytes an event", (resident() - before) / 1_000_000);
    }
}
