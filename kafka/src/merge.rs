//! Putting the partitions together again: records come in any order between partitions, events go out by position, whole
//! units at a time.

use crate::partition::COUNT;
use crate::record::Decoded;
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;
use viral_store::{Position, StoredEvent};

/// An event that was read, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) event: StoredEvent,
    /// The unit that it was appended in.
    pub(crate) unit: Uuid,
    /// Whether its unit ends with it, as far as its record says.
    pub(crate) ends_unit: bool,
    /// The index of its partition and its offset there; none if it came from the store.
    pub(crate) from: Option<(usize, i64)>,
}

impl Read {
    /// The event of a record, from the partition with this index and its offset there.
    pub(crate) fn of(decoded: Decoded, from: (usize, i64)) -> Read {
        Read {
            event: decoded.event,
            unit: decoded.unit,
            ends_unit: decoded.ends_unit,
            from: Some(from),
        }
    }

    fn bytes(&self) -> usize {
        // About what it takes in memory, without what every event takes alike.
        self.event.payload.len() + self.event.metadata.len() + 512
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is kept until it is its turn.
    Kept,
    /// It came before.
    Duplicate,
    /// It came before and said something else.
    Contradiction,
}

/// Events between their partitions and whoever follows the log.
#[derive(Debug)]
pub(crate) struct Merge {
    /// In order without a gap, not given yet.
    ready: VecDeque<Read>,
    /// How many of `ready`, from the start, are whole units.
    complete: usize,
    /// After the end of `ready` there is a gap before the first of these.
    ahead: BTreeMap<Position, Read>,
    /// The position that `ready` lacks next.
    next: Position,
    /// The unit that the last event of `ready` belongs to.
    unit: Option<Uuid>,
    /// How many of each partition's events are in here.
    held: [usize; COUNT],
    /// The memory that those of them take that are behind a gap.
    ahead_bytes: [usize; COUNT],
    /// Where each partition goes on after what was given.
    offsets: [Option<i64>; COUNT],
    /// The highest position of each partition so far.
    highest: [Position; COUNT],
    /// A partition whose records came out of order: its offset stays where it is, so that nothing is missed.
    disordered: [bool; COUNT],
}

impl Merge {
    /// Goes on after a position, where the partitions are at these offsets.
    pub(crate) fn new(after: Position, offsets: [Option<i64>; COUNT]) -> Merge {
        Merge {
            ready: VecDeque::new(),
            complete: 0,
            ahead: BTreeMap::new(),
            next: after.next(),
            unit: None,
            held: [0; COUNT],
            ahead_bytes: [0; COUNT],
            offsets,
            highest: [Position::START; COUNT],
            disordered: [false; COUNT],
        }
    }

    /// Takes a record in.
    pub(crate) fn push(&mut self, read: Read) -> Taken {
        let position = read.event.position;
        if let Some((index, _)) = read.from {
            let late = position < self.highest[index];
            self.highest[index] = self.highest[index].max(position);
            if late && position >= self.next && !self.ahead.contains_key(&position) {
                self.disordered[index] = true;
            }
        }
        if let Some(first) = self.waiting(position) {
            return match first.event == read.event {
                true => Taken::Duplicate,
                false => Taken::Contradiction,
            };
        }
        if position < self.next {
            self.passed_over(&read);
            return Taken::Duplicate;
        }
        if let Some((index, _)) = read.from {
            self.held[index] += 1;
        }
        if position == self.next {
            self.line_up(read);
            self.line_up_ahead();
        } else {
            if let Some((index, _)) = read.from {
                self.ahead_bytes[index] += read.bytes();
            }
            self.ahead.insert(position, read);
        }
        Taken::Kept
    }

    /// What was read of a position, if it was not given yet.
    fn waiting(&self, position: Position) -> Option<&Read> {
        if position >= self.next {
            return self.ahead.get(&position);
        }
        let behind = usize::try_from(self.next.0 - position.0).ok()?;
        self.ready.get(self.ready.len().checked_sub(behind)?)
    }

    fn line_up_ahead(&mut self) {
        while let Some(first) = self.ahead.first_entry()
            && *first.key() == self.next
        {
            let read = first.remove();
            self.no_longer_ahead(&read);
            self.line_up(read);
        }
    }

    fn no_longer_ahead(&mut self, read: &Read) {
        if let Some((index, _)) = read.from {
            self.ahead_bytes[index] -= read.bytes();
        }
    }

    fn line_up(&mut self, read: Read) {
        self.next = self.next.next();
        if self.unit.is_some_and(|before| before != read.unit) {
            self.complete = self.ready.len();
        }
        self.unit = Some(read.unit);
        let ends_unit = read.ends_unit;
        self.ready.push_back(read);
        if ends_unit {
            self.complete = self.ready.len();
        }
    }

    /// How many events could be given now.
    pub(crate) fn complete(&self) -> usize {
        self.complete
    }

    /// The next events in whole units, about `limit` of them.
    pub(crate) fn take(&mut self, limit: usize) -> Vec<StoredEvent> {
        let count = self.whole_within(limit);
        self.complete -= count;
        let taken: Vec<Read> = self.ready.drain(..count).collect();
        taken
            .into_iter()
            .map(|read| {
                self.given(&read);
                read.event
            })
            .collect()
    }

    /// An event leaves: its partition goes on behind it.
    fn given(&mut self, read: &Read) {
        if let Some((index, offset)) = read.from {
            self.held[index] -= 1;
            if !self.disordered[index] {
                self.offsets[index] = Some(offset + 1);
            }
        }
    }

    /// A record is of no use: its partition goes on behind it, if nothing of it waits here.
    fn passed_over(&mut self, read: &Read) {
        if let Some((index, offset)) = read.from
            && self.held[index] == 0
            && !self.disordered[index]
        {
            self.offsets[index] = Some(offset + 1);
        }
    }

    /// Leaves out everything up to a position: somebody else took it in.
    pub(crate) fn skip_to(&mut self, after: Position) {
        while let Some(first) = self.ready.pop_front_if(|read| read.event.position <= after) {
            self.complete = self.complete.saturating_sub(1);
            self.given(&first);
        }
        if after < self.next {
            return;
        }
        (self.next, self.unit) = (after.next(), None);
        while let Some(first) = self.ahead.first_entry()
            && *first.key() <= after
        {
            let read = first.remove();
            self.no_longer_ahead(&read);
            self.given(&read);
        }
        self.line_up_ahead();
    }

    /// How many of the complete events to give: as many whole units as fit, at least one.
    fn whole_within(&self, limit: usize) -> usize {
        if self.complete <= limit {
            return self.complete;
        }
        let unit_at = |index: usize| self.ready.get(index).map(|read| read.unit);
        let boundary = |index: &usize| unit_at(*index) != unit_at(index - 1);
        let before = (1..=limit.min(self.complete)).rev().find(boundary);
        let after = || (limit.max(1)..self.complete).find(boundary);
        before.or_else(after).unwrap_or(self.complete)
    }

    /// The position that is waited for although later ones are there.
    pub(crate) fn gap(&self) -> Option<(Position, Position)> {
        let first = self.ahead.keys().next()?;
        Some((self.next, *first))
    }

    /// Events that are there in order, but whose unit is not complete: the first and the last of them.
    pub(crate) fn incomplete(&self) -> Option<(Position, Position)> {
        let first = self.ready.get(self.complete)?;
        let last = self.ready.back()?;
        Some((first.event.position, last.event.position))
    }

    /// The memory, in bytes, that those events of a partition take that wait for an earlier position. Events that wait only
    /// to be given, or for the end of their unit, are none of them.
    pub(crate) fn ahead_bytes(&self, index: usize) -> usize {
        self.ahead_bytes[index]
    }

    /// Where each partition goes on after the events that were given.
    pub(crate) fn offsets(&self) -> &[Option<i64>; COUNT] {
        &self.offsets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viral_store::{Metadata, StreamId};

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

    /// Position, unit, partition, offset, whether it ends its unit.
    type Row = (u64, u128, usize, i64, bool);

    fn push(merge: &mut Merge, (position, unit, index, offset, ends_unit): Row) -> Taken {
        merge.push(Read {
            event: event(position, unit),
            unit: Uuid::from_u128(unit),
            ends_unit,
            from: Some((index, offset)),
        })
    }

    fn take(merge: &mut Merge, limit: usize) -> Vec<u64> {
        merge.take(limit).iter().map(|event| event.position.0).collect()
    }

    #[test]
    fn partitions_are_merged_and_duplicates_dropped() {
        let mut merge = Merge::new(Position(4), [None; COUNT]);
        for record in [
            (7, 7, 1, 3, true),
            (4, 4, 0, 8, true),
            (6, 6, 2, 5, true),
            (7, 7, 1, 4, true),
        ] {
            push(&mut merge, record);
        }
        assert_eq!(
            (take(&mut merge, 10), merge.gap()),
            (vec![], Some((Position(5), Position(6))))
        );
        assert_eq!(push(&mut merge, (5, 5, 0, 9, true)), Taken::Kept);
        assert_eq!((merge.gap(), merge.complete()), (None, 3));
        assert_eq!(take(&mut merge, 2), [5, 6]);
        assert_eq!(merge.offsets()[..3], [Some(10), None, Some(6)]);
        assert_eq!(take(&mut merge, 2), [7]);
        assert_eq!(merge.offsets()[..3], [Some(10), Some(4), Some(6)]);
        assert_eq!(push(&mut merge, (6, 6, 2, 6, true)), Taken::Duplicate);
        assert_eq!(
            ([0, 1, 2].map(|index| merge.held[index]), merge.ahead_bytes),
            ([0; 3], [0; COUNT])
        );
    }

    #[test]
    fn a_unit_is_given_when_it_is_complete() {
        let mut merge = Merge::new(Position::START, [None; COUNT]);
        push(&mut merge, (1, 1, 0, 0, false));
        push(&mut merge, (2, 1, 1, 0, false));
        assert_eq!(take(&mut merge, 10), [0_u64; 0]);
        assert_eq!(merge.incomplete(), Some((Position(1), Position(2))));
        // The record says so, or another unit follows.
        push(&mut merge, (3, 1, 0, 1, true));
        assert_eq!((take(&mut merge, 10), merge.incomplete()), (vec![1, 2, 3], None));
        push(&mut merge, (4, 4, 0, 2, false));
        push(&mut merge, (5, 5, 0, 3, false));
        assert_eq!(take(&mut merge, 10), [4]);
        // No more than asked for, unless one unit is larger.
        for record in [
            (6, 5, 0, 4, true),
            (7, 7, 0, 5, true),
            (8, 8, 0, 6, false),
            (9, 8, 0, 7, true),
        ] {
            push(&mut merge, record);
        }
        assert_eq!(take(&mut merge, 1), [5, 6]);
        assert_eq!(take(&mut merge, 2), [7]);
        assert_eq!(take(&mut merge, 1), [8, 9]);
    }

    #[test]
    fn another_event_at_the_same_position_is_a_contradiction() {
        let mut merge = Merge::new(Position::START, [None; COUNT]);
        push(&mut merge, (2, 2, 0, 0, true));
        assert_eq!(push(&mut merge, (2, 2, 0, 1, true)), Taken::Duplicate);
        assert_eq!(push(&mut merge, (2, 3, 0, 2, true)), Taken::Contradiction);
        // In line, but not given yet, it still is; afterwards nobody remembers.
        push(&mut merge, (1, 1, 0, 3, true));
        assert_eq!(push(&mut merge, (2, 3, 0, 4, true)), Taken::Contradiction);
        assert_eq!(push(&mut merge, (1, 1, 0, 5, true)), Taken::Duplicate);
        assert_eq!(take(&mut merge, 10), [1, 2]);
        assert_eq!(push(&mut merge, (2, 3, 0, 6, true)), Taken::Duplicate);
    }

    #[test]
    fn what_somebody_else_took_in_is_left_out() {
        let mut merge = Merge::new(Position::START, [None; COUNT]);
        for record in [
            (1, 1, 0, 0, true),
            (2, 2, 1, 0, true),
            (4, 4, 0, 1, true),
            (6, 6, 1, 1, true),
        ] {
            push(&mut merge, record);
        }
        merge.skip_to(Position(1));
        assert_eq!((merge.complete(), merge.offsets()[0]), (1, Some(1)));
        merge.skip_to(Position(5));
        assert_eq!(merge.offsets()[..2], [Some(2), Some(1)]);
        assert_eq!(take(&mut merge, 10), [6]);
        assert_eq!(push(&mut merge, (5, 5, 0, 2, true)), Taken::Duplicate);
        assert_eq!((merge.offsets()[0], merge.held[0], merge.held[1]), (Some(3), 0, 0));
        assert_eq!(merge.ahead_bytes, [0; COUNT]);
    }

    #[test]
    fn a_partition_out_of_order_keeps_its_place() {
        let mut merge = Merge::new(Position::START, [Some(7); COUNT]);
        push(&mut merge, (2, 2, 0, 7, true));
        push(&mut merge, (1, 1, 0, 8, true));
        assert_eq!(take(&mut merge, 10), [1, 2]);
        assert_eq!(merge.offsets()[0], Some(7));
    }

    #[test]
    fn any_order_of_records_gives_the_log() {
        // Every interleaving that keeps each partition's order, with duplicates behind.
        let mut seed = 42_u64;
        let mut random = move |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % below
        };
        for _ in 0..200 {
            let mut partitions: [VecDeque<Row>; 3] = Default::default();
            for position in 1..=60_u64 {
                let index = random(3);
                let offset = partitions[index].len() as i64;
                let unit = u128::from(position.div_ceil(3));
                partitions[index].push_back((position, unit, index, offset, position % 3 == 0));
            }
            let mut merge = Merge::new(Position::START, [None; COUNT]);
            let (mut given, mut before) = (Vec::new(), None);
            while partitions.iter().any(|partition| !partition.is_empty()) {
                let index = random(3);
                if let Some(record) = partitions[index].pop_front() {
                    push(&mut merge, record);
                    before.get_or_insert(record);
                    if random(4) == 0 {
                        assert_ne!(push(&mut merge, before.take().unwrap()), Taken::Contradiction);
                    }
                }
                let taken = take(&mut merge, 1 + random(7));
                assert_eq!(taken.len() % 3, 0, "half a unit: {taken:?}");
                given.extend(taken);
            }
            given.extend(take(&mut merge, 100));
            assert_eq!(given, (1..=60).collect::<Vec<u64>>());
        }
    }
}
