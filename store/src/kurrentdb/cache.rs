//! Records that were read or written lately. Whoever follows the log reads what was appended just now, and every
//! follower of a process reads the same.

use crate::event::StoredEvent;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// The events of one record.
pub(super) type Events = Arc<[StoredEvent]>;

/// How many bytes of payload and metadata are kept.
const LIMIT: usize = 32 * 1_024 * 1_024;

/// What an event takes in memory beside its payload and metadata, roughly.
const BESIDE: usize = 320;

/// The newest ones stay: what comes in last goes out last.
#[derive(Debug, Default)]
pub(super) struct Cache {
    records: HashMap<u64, Events>,
    order: VecDeque<(u64, usize)>,
    bytes: usize,
}

impl Cache {
    pub(super) fn get(&self, revision: u64) -> Option<Events> {
        self.records.get(&revision).cloned()
    }

    pub(super) fn put(&mut self, revision: u64, events: Events) {
        let bytes = events
            .iter()
            .map(|event| event.payload.len() + event.metadata.len() + BESIDE)
            .sum();
        if self.records.insert(revision, events).is_some() {
            return;
        }
        self.order.push_back((revision, bytes));
        self.bytes += bytes;
        while self.bytes > LIMIT
            && let Some((oldest, bytes)) = self.order.pop_front()
        {
            self.records.remove(&oldest);
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Position, StreamId};

    #[test]
    fn the_oldest_make_room() {
        let record = |bytes: usize| -> Events {
            let event = StoredEvent {
                position: Position(1),
                event_id: uuid::Uuid::nil(),
                stream: StreamId::new("note", "a"),
                sequence: 1,
                event_type: "note.taken".into(),
                event_version: "1".into(),
                payload: "x".repeat(bytes),
                metadata: String::new(),
                recorded_at: chrono::DateTime::UNIX_EPOCH,
            };
            [event].into()
        };
        let mut cache = Cache::default();
        for revision in 1..=3 {
            cache.put(revision, record(LIMIT / 3));
        }
        assert!(cache.get(1).is_none() && cache.get(2).is_some() && cache.get(3).is_some());
        cache.put(4, record(LIMIT));
        assert!(cache.get(3).is_none() && cache.get(4).is_none() && cache.bytes == 0);
    }
}
