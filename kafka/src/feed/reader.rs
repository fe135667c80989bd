//! The thread's side of a feed: it polls the partitions and puts their events in order. It blocks, and knows no store.

use crate::cluster::{Cluster, Quiet};
use crate::error::{KafkaError, is_away};
use crate::fetch;
use crate::merge::{Merge, Read, Taken};
use crate::partition::{COUNT, Partition};
use crate::record;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use viral_store::feed::UnreadableRecord;
use viral_store::{Position, StoredEvent};

/// A partition whose events take more memory than this, in bytes, is paused, and goes on below half of it.
const AHEAD: usize = 8 * 1_024 * 1_024;
/// How long one poll waits, so that whoever stops us is noticed.
const LOOK: Duration = Duration::from_millis(100);
/// How many records are looked at before they are settled.
const AT_ONCE: usize = 4_096;

/// A record that is a line.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) partition: Partition,
    pub(super) offset: i64,
    pub(super) source: String,
    pub(super) event: StoredEvent,
    ends_unit: bool,
}

/// What has to be decided by whoever knows the store.
#[derive(Debug, Default)]
pub(super) struct Doubtful {
    pub(super) records: Vec<Candidate>,
    pub(super) unreadable: Vec<UnreadableRecord>,
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
    paused: [bool; COUNT],
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
            paused: [false; COUNT],
            trouble: None,
            catching_up: None,
        })
    }

    /// Reads until there is something to give, or to settle, or the time is over.
    pub(super) fn look(&mut self, limit: usize, deadline: Instant, stop: &AtomicBool) -> Result<Doubtful, KafkaError> {
        self.go_on()?;
        let mut doubtful = Doubtful::default();
        loop {
            let found = doubtful.records.len() + doubtful.unreadable.len();
            // What is at hand is taken along; waiting is only worth while there is nothing.
            let wait = match found {
                0 => LOOK.min(deadline.saturating_duration_since(Instant::now())),
                _ => Duration::ZERO,
            };
            match self.consumer.poll(wait) {
                Some(Ok(message)) => {
                    self.trouble = None;
                    let Some(partition) = Partition::find(message.topic(), message.partition()) else {
                        continue;
                    };
                    let offset = message.offset();
                    match record::decode(&message, partition) {
                        Ok(decoded) => doubtful.records.push(Candidate {
                            partition,
                            offset,
                            source: decoded.source,
                            event: decoded.event,
                            ends_unit: decoded.ends_unit,
                        }),
                        Err(problem) => doubtful.unreadable.push(unreadable(partition, offset, problem)),
                    }
                    if found + 1 >= limit.clamp(1, AT_ONCE) {
                        return Ok(doubtful);
                    }
                }
                Some(Err(error)) => {
                    fetch::check_error(&error)?;
                    if error.rdkafka_error_code().is_some_and(is_away) {
                        self.trouble = Some(error.to_string());
                    }
                }
                None if found > 0 => return Ok(doubtful),
                None => {}
            }
            // A gap has to be looked at now and then, too.
            let idle = found == 0 && (self.merge.gap().is_some() || Instant::now() >= deadline);
            if idle || stop.load(Ordering::Relaxed) {
                return Ok(doubtful);
            }
        }
    }

    /// Takes a record in that is of this log.
    pub(super) fn push(&mut self, candidate: Candidate) -> Result<(), UnreadableRecord> {
        let Candidate {
            partition,
            offset,
            event,
            ends_unit,
            ..
        } = candidate;
        let (index, position) = (partition.index(), event.position);
        let taken = self.merge.push(Read {
            event,
            ends_unit,
            from: Some((index, offset)),
        });
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

    /// Pauses partitions that ran ahead, and lets them go on when that is used up.
    fn go_on(&mut self) -> Result<(), KafkaError> {
        let (mut pause, mut resume) = (TopicPartitionList::new(), TopicPartitionList::new());
        for partition in Partition::all() {
            let index = partition.index();
            let held = self.merge.held(index);
            if !self.paused[index] && held > AHEAD {
                pause.add_partition(partition.topic, partition.number);
                self.paused[index] = true;
            } else if self.paused[index] && held < AHEAD / 2 {
                resume.add_partition(partition.topic, partition.number);
                self.paused[index] = false;
            }
        }
        if pause.count() > 0 {
            self.consumer.pause(&pause)?;
        }
        if resume.count() > 0 {
            self.consumer.resume(&resume)?;
        }
        Ok(())
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
