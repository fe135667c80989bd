//! What the topics have: the first and the last event of each partition. This is all that a relay has to know, and what
//! an operator is told.

use crate::cluster::{Cluster, blocking};
use crate::error::KafkaError;
use crate::fetch::{self, Range, Ranges};
use crate::partition::{COUNT, Partition};
use crate::record;
use rdkafka::message::Message as _;
use viral_store::StoredEvent;

/// How many records are looked at from the end, then how many times as many where none of them is an event.
const WINDOW: i64 = 1;
const WIDER: i64 = 32;
/// How many records of a partition that are no events are listed.
const LISTED: usize = 100;

/// A partition, from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// Which partition.
    pub partition: Partition,
    /// Its first offset; more than 0 if records were deleted.
    pub start: i64,
    /// The offset behind its last record.
    pub end: i64,
    /// Its last event.
    pub last: Option<StoredEvent>,
    /// What is wrong with the records behind that one, a hundred of them at most.
    pub unreadable: Vec<(i64, String)>,
}

/// Reads the end of every partition. Records of other logs than `source` and what is no event at all are passed over.
pub async fn tails(cluster: &Cluster, source: &str) -> Result<Vec<Tail>, KafkaError> {
    let (cluster, source) = (cluster.clone(), source.to_owned());
    blocking(move || read(&cluster, &source)).await
}

fn read(cluster: &Cluster, source: &str) -> Result<Vec<Tail>, KafkaError> {
    let consumer = cluster.consumer_to_the_end()?;
    let marks = fetch::watermarks(&consumer)?;
    let mut tails: Vec<Tail> = Partition::all()
        .map(|partition| Tail {
            partition,
            start: marks[partition.index()].from,
            end: marks[partition.index()].end,
            last: None,
            unreadable: Vec::new(),
        })
        .collect();
    let mut window = WINDOW;
    // From the end backwards, until each partition has shown an event or all its records.
    let mut seen: [i64; COUNT] = marks.map(|mark| mark.end);
    loop {
        let mut wanted = Vec::new();
        for tail in tails.iter().filter(|tail| tail.last.is_none()) {
            let before = &mut seen[tail.partition.index()];
            let from = tail.start.max(*before - window);
            if from < *before {
                wanted.push((tail.partition, Range { from, end: *before }));
                *before = from;
            }
        }
        if wanted.is_empty() {
            return Ok(tails);
        }
        let mut ranges = Ranges::begin(&consumer, &wanted)?;
        while let Some((partition, message)) = ranges.next()? {
            let tail = &mut tails[partition.index()];
            match record::decode(&message, partition).and_then(|decoded| of_log(decoded, source)) {
                Ok(event) => {
                    tail.last = Some(event);
                    tail.unreadable.retain(|(offset, _)| *offset > message.offset());
                }
                Err(problem) if tail.unreadable.len() < LISTED => tail.unreadable.push((message.offset(), problem)),
                Err(_) => {}
            }
        }
        window *= WIDER;
    }
}

/// The first events of partitions, as far as they have any.
pub(crate) async fn firsts(cluster: &Cluster, source: &str) -> Result<Vec<(Partition, StoredEvent)>, KafkaError> {
    let (cluster, source) = (cluster.clone(), source.to_owned());
    blocking(move || {
        let consumer = cluster.consumer_to_the_end()?;
        let marks = fetch::watermarks(&consumer)?;
        let mut firsts: Vec<Option<StoredEvent>> = vec![None; COUNT];
        let mut at = marks.map(|mark| mark.from);
        let mut window = WINDOW;
        loop {
            let mut wanted = Vec::new();
            for partition in Partition::all() {
                let index = partition.index();
                let end = marks[index].end.min(at[index] + window);
                if firsts[index].is_none() && at[index] < end {
                    wanted.push((partition, Range { from: at[index], end }));
                    at[index] = end;
                }
            }
            if wanted.is_empty() {
                break;
            }
            let mut ranges = Ranges::begin(&consumer, &wanted)?;
            while let Some((partition, message)) = ranges.next()? {
                let decoded = record::decode(&message, partition).and_then(|decoded| of_log(decoded, &source));
                let first = &mut firsts[partition.index()];
                if let (Ok(event), None) = (decoded, &first) {
                    *first = Some(event);
                }
            }
            window *= WIDER;
        }
        let found = Partition::all().zip(firsts);
        Ok(found
            .filter_map(|(partition, event)| Some((partition, event?)))
            .collect())
    })
    .await
}

/// The event of a record, if it is of this log.
pub(crate) fn of_log(decoded: record::Decoded, source: &str) -> Result<StoredEvent, String> {
    match decoded.source == source {
        true => Ok(decoded.event),
        false => Err(format!("it is of another log, {}", decoded.source)),
    }
}
