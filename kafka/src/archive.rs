//! Everything that was published, from the beginning to the end as it is now: for auditors who have nothing but Kafka, and
//! after the loss of the store.

use crate::cluster::{Cluster, blocking};
use crate::error::KafkaError;
use crate::fetch::{self, Ranges};
use crate::merge::{Merge, Read, Taken};
use crate::partition::{COUNT, Partition};
use crate::pausing::Pausing;
use crate::record;
use rdkafka::message::Message as _;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use viral_store::feed::UnreadableRecord;
use viral_store::{Position, StoredEvent};

/// How many events are handed over at once.
const PAGE: usize = 1_000;
/// How many records that are no events are listed; more are only counted.
const LISTED: usize = 100;

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Archive {
    /// The log that it is of; empty if there is no event.
    pub source: String,
    /// Other logs whose events are there, and how many of each; at most a hundred logs.
    pub others: BTreeMap<String, u64>,
    /// The last event that was handed over. Everything up to it is there.
    pub position: Position,
    /// How many records were read, duplicates included. Not many behind a gap are.
    pub records: u64,
    /// How many of them came before.
    pub duplicates: u64,
    /// The events of a unit whose end was not published: the first and the last of them. They were not handed over.
    pub incomplete_unit: Option<(Position, Position)>,
    /// A position that is missing although later ones are there: the position, and the next one that is there.
    pub gap: Option<(Position, Position)>,
    /// How many records are no events of the log, or say something else than an earlier record of the same position.
    pub unreadable: u64,
    /// The first of them.
    pub listed: Vec<UnreadableRecord>,
}

/// Reads all topics as they are now and hands the events over in order, each once, whole units only. `log` is the source
/// that they must have; without it, that of the first event that is read.
///
/// # Errors
/// [`KafkaError::Incomplete`] if records were deleted; what `sink` answers, as [`KafkaError::Sink`].
pub async fn read_all(
    cluster: &Cluster,
    log: Option<String>,
    sink: impl FnMut(&str, &StoredEvent) -> Result<(), String> + Send + 'static,
) -> Result<Archive, KafkaError> {
    let cluster = cluster.clone();
    blocking(move || {
        let mut reading = Reading {
            archive: Archive {
                source: log.unwrap_or_default(),
                ..Archive::default()
            },
            merge: Merge::new(Position::START, [None; COUNT]),
            hashes: Vec::new(),
            sink,
        };
        reading.read(&cluster)?;
        Ok(reading.archive)
    })
    .await
}

struct Reading<S> {
    archive: Archive,
    merge: Merge,
    /// A hash of each event that was handed over, to tell a repetition from a contradiction.
    hashes: Vec<u64>,
    sink: S,
}

impl<S: FnMut(&str, &StoredEvent) -> Result<(), String>> Reading<S> {
    fn read(&mut self, cluster: &Cluster) -> Result<(), KafkaError> {
        let consumer = cluster.consumer_to_the_end()?;
        let marks = fetch::watermarks(&consumer)?;
        for partition in Partition::all() {
            let from = marks[partition.index()].from;
            if from > 0 {
                return Err(KafkaError::Incomplete(format!(
                    "{partition} begins at offset {from}: records were deleted, the log cannot be read from its beginning"
                )));
            }
        }
        let ranges: Vec<_> = Partition::all()
            .map(|partition| (partition, marks[partition.index()]))
            .collect();
        let (mut ranges, mut pausing) = (Ranges::begin(&consumer, &ranges)?, Pausing::default());
        while let Some((partition, message)) = ranges.next()? {
            self.archive.records += 1;
            self.take(partition, &message);
            self.hand_over(PAGE)?;
            pausing.apply(&consumer, &self.merge)?;
            // Those that were let go on have nothing more to give: what the others wait for does not come.
            if ranges.unfinished().all(|partition| pausing.is_paused(partition)) {
                break;
            }
        }
        self.hand_over(0)?;
        self.archive.incomplete_unit = self.merge.incomplete();
        self.archive.gap = self.merge.gap();
        Ok(())
    }

    fn take(&mut self, partition: Partition, message: &rdkafka::message::BorrowedMessage<'_>) {
        let offset = message.offset();
        let decoded = match record::decode(message, partition) {
            Ok(decoded) => decoded,
            Err(problem) => return self.left_out(partition, offset, problem),
        };
        if self.archive.source.is_empty() {
            self.archive.source.clone_from(&decoded.source);
        }
        if decoded.source != self.archive.source {
            if self.archive.others.len() < LISTED || self.archive.others.contains_key(&decoded.source) {
                *self.archive.others.entry(decoded.source.clone()).or_default() += 1;
            }
            return self.left_out(partition, offset, format!("it is of another log, {}", decoded.source));
        }
        let position = decoded.event.position;
        let before = usize::try_from(position.0)
            .ok()
            .and_then(|position| position.checked_sub(1));
        let before = before.and_then(|index| self.hashes.get(index).copied());
        let same = before.is_none_or(|before| before == hash(&decoded.event));
        let taken = self.merge.push(Read::of(decoded, (partition.index(), offset)));
        match taken {
            Taken::Kept => {}
            Taken::Duplicate if same => self.archive.duplicates += 1,
            Taken::Duplicate | Taken::Contradiction => {
                let problem = format!("position {position} came before and said something else");
                self.left_out(partition, offset, problem);
            }
        }
    }

    fn left_out(&mut self, partition: Partition, offset: i64, problem: String) {
        self.archive.unreadable += 1;
        if self.archive.listed.len() < LISTED {
            self.archive.listed.push(UnreadableRecord {
                topic: partition.topic.to_owned(),
                partition: partition.number,
                offset,
                problem,
            });
        }
    }

    /// Hands over what is complete, once it is more than this.
    fn hand_over(&mut self, more_than: usize) -> Result<(), KafkaError> {
        if self.merge.complete() <= more_than {
            return Ok(());
        }
        for event in self.merge.take(usize::MAX) {
            (self.sink)(&self.archive.source, &event).map_err(KafkaError::Sink)?;
            self.hashes.push(hash(&event));
            self.archive.position = event.position;
        }
        Ok(())
    }
}

fn hash(event: &StoredEvent) -> u64 {
    let mut hasher = DefaultHasher::new();
    (event.event_id, &event.payload, &event.metadata, event.recorded_at).hash(&mut hasher);
    (&event.stream, event.sequence, &event.event_type, &event.event_version).hash(&mut hasher);
    hasher.finish()
}
