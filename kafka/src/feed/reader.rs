//! The thread's side of a feed: it polls the partitions and puts their events in order. It blocks, and knows no store.

use crate::cluster::{Cluster, Quiet};
use crate::error::{KafkaError, is_away};
use crate::fetch;
use crate::merge::{Merge, Read, Taken};
use crate::partition::{COUNT, Partition};
use crate::pausing::Pausing;
use crate::record::{self, Decoded};
use rdkafka::Offset;
use rdkafka::consumer::BaseConsumer;
use rdkafka::message::Message;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use viral_store::feed::UnreadableRecord;
use viral_store::{Position, StoredEvent};

/// How long one poll waits, so that whoever stops us is noticed.
const LOOK: Duration = Duration::from_millis(100);
/// How many records are looked at before they are settled.
const AT_ONCE: usize = 4_096;

/// A record that is a line.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) partition: Partition,
    pub(super) offset: i64,
    pub(super) decoded: Decoded,
}

/// What has to be decided by whoever knows the store.
#[derive(Debug, Default)]
pub(super) struct Doubtful {
    pub(super) records: Vec<Candidate>,
    pub(super) unreadable: Vec<UnreadableRecord>,
}

impl Doubtful {
    fn take(&mut self, message: &impl Message, partition: Partition) {
        let offset = message.offset();
        match record::decode(message, partition) {
            Ok(decoded) => self.records.push(Candidate {
                partition,
                offset,
                decoded,
            }),
            Err(problem) => self.unreadable.push(unreadable(partition, offset, problem)),
        }
    }
}

/// Where to begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    /// At these offsets, and at the beginning of partitions without one.
    Offsets([Option<i64>; COUNT]),
    /// At the first record that is not stamped earlier, in milliseconds since 1970.
    Time(i64),
    /// At the beginning of every partition.
    Beginning,
}

/// Reads all partitions.
pub(super) struct Reader {
    consumer: BaseConsumer<Quiet>,
    merge: Merge,
    pausing: Pausing,
    /// What the client said last, if nothing came since.
    trouble: Option<String>,
    /// When a record came last that was of no use any more: then a partition is still on its way to where the others are.
    catching_up: Option<Instant>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("merge", &self.merge)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Goes on after a position.
    pub(super) fn begin(cluster: &Cluster, after: Position, start: Start) -> Result<Reader, KafkaError> {
        let consumer = cluster.consumer()?;
        let marks = fetch::watermarks(&consumer)?;
        let offsets = match start {
            Start::Offsets(offsets) => offsets,
            Start::Time(millis) => fetch::offsets_at(&consumer, millis, &marks)?,
            Start::Beginning => [None; COUNT],
        };
        let beyond = |index: usize| offsets[index].is_some_and(|offset| offset > marks[index].end);
        // Beyond the end of one partition: it is another topic now, and nothing is known of the others either.
        let offsets = match (0..COUNT).any(beyond) {
            true => [None; COUNT],
            false => offsets,
        };
        fetch::assign(
            &consumer,
            Partition::all().map(|partition| {
                let offset = offsets[partition.index()].map_or(Offset::Beginning, Offset::Offset);
                (partition, offset)
            }),
        )?;
        Ok(Reader {
            consumer,
            merge: Merge::new(after, offsets),
            pausing: Pausing::default(),
            trouble: None,
            catching_up: None,
        })
    }

    /// Reads until there is something to give, or to settle, or the time is over.
    pub(super) fn look(&mut self, limit: usize, deadline: Instant, stop: &AtomicBool) -> Result<Doubtful, KafkaError> {
        self.pausing.apply(&self.consumer, &self.merge)?;
        let mut doubtful = Doubtful::default();
        loop {
            let found = doubtful.records.len() + doubtful.unreadable.len();
            if found >= limit.clamp(1, AT_ONCE) || stop.load(Ordering::Relaxed) {
                return Ok(doubtful);
            }
            // What is at hand is taken along; waiting is only worth while there is nothing.
            let wait = match found {
                0 => LOOK.min(deadline.saturating_duration_since(Instant::now())),
                _ => Duration::ZERO,
            };
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    self.trouble = None;
                    if let Some(partition) = Partition::find(message.topic(), message.partition()) {
                        doubtful.take(&message, partition);
                    }
                    continue;
                }
                Some(Err(error)) => {
                    fetch::check_error(&error)?;
                    if error.rdkafka_error_code().is_some_and(is_away) {
                        self.trouble = Some(error.to_string());
                    }
                }
                None => {}
            }
            // Whoever waits for a gap to be filled looks at it now and then, too.
            if found > 0 || self.merge.gap().is_some() || Instant::now() >= deadline {
                return Ok(doubtful);
            }
        }
    }

    /// Takes a record in that is of this log.
    pub(super) fn push(&mut self, candidate: Candidate) -> Result<(), UnreadableRecord> {
        let Candidate {
            partition,
            offset,
            decoded,
        } = candidate;
        let position = decoded.event.position;
        let taken = self.merge.push(Read::of(decoded, (partition.index(), offset)));
        match taken {
            Taken::Contradiction => {
                let problem = format!("position {position} came before and said something else");
                Err(unreadable(partition, offset, problem))
            }
            Taken::Duplicate => {
                self.catching_up = Some(Instant::now());
                Ok(())
            }
            Taken::Kept => Ok(()),
        }
    }

    /// Takes in what Kafka lacks.
    pub(super) fn push_from_store(&mut self, read: Read) {
        self.merge.push(read);
    }

    pub(super) fn take(&mut self, limit: usize) -> Vec<StoredEvent> {
        self.merge.take(limit)
    }

    pub(super) fn skip_to(&mut self, after: Position) {
        self.merge.skip_to(after);
    }

    pub(super) fn complete(&self) -> usize {
        self.merge.complete()
    }

    pub(super) fn gap(&self) -> Option<(Position, Position)> {
        self.merge.gap()
    }

    pub(super) fn catching_up(&self) -> Option<Instant> {
        self.catching_up
    }

    pub(super) fn offsets(&self) -> &[Option<i64>; COUNT] {
        self.merge.offsets()
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }
}

/// A record that is left out.
pub(super) fn unreadable(partition: Partition, offset: i64, problem: String) -> UnreadableRecord {
    UnreadableRecord {
        topic: partition.topic.to_owned(),
        partition: partition.number,
        offset,
        problem,
    }
}
