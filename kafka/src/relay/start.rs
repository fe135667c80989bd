//! What the topics have, compared with the store, before anything is published: a relay goes on only with a copy of its
//! own log that has no hole.

use crate::cluster::Cluster;
use crate::error::KafkaError;
use crate::partition::{COUNT, Partition};
use crate::tails::{self, Tail};
use viral_store::{EventStore, Position};

/// How many events are read at once while looking for the first ones.
const PAGE: usize = 4_096;

/// What the partitions have when a relay begins.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// The last position of each.
    pub(super) tails: [Position; COUNT],
    /// The offset behind the last record of each: what is sent comes there or later, unless the topic is another one.
    pub(super) ends: [i64; COUNT],
}

/// Looks what each partition has.
pub(super) async fn examine(cluster: &Cluster, store: &dyn EventStore) -> Result<Found, KafkaError> {
    let tails = tails::tails(cluster, store.source()).await?;
    let records: i64 = tails.iter().map(|tail| tail.end - tail.start).sum();
    if records > 0 && tails.iter().all(|tail| tail.last.is_none()) {
        return Err(KafkaError::Diverged(format!(
            "the topics have {records} records, and none is an event of this log ({}): is KAFKA_BROKERS the right cluster?",
            store.source()
        )));
    }
    let mut found = Found::default();
    for tail in &tails {
        for (offset, problem) in &tail.unreadable {
            tracing::error!(partition = %tail.partition, offset, problem, "a record that is no event of this log");
        }
        let index = tail.partition.index();
        (found.tails[index], found.ends[index]) = (compare(tail, store).await?, tail.end);
    }
    check_beginning(cluster, store, &tails).await?;
    Ok(found)
}

/// The last event of a partition must be the one that the store has at its position.
async fn compare(tail: &Tail, store: &dyn EventStore) -> Result<Position, KafkaError> {
    let partition = tail.partition;
    if tail.start > 0 {
        return Err(KafkaError::Diverged(format!(
            "{partition} begins at offset {}: records were deleted. Delete the topic and run `viral migrate`; the relay \
             fills it again from the store",
            tail.start
        )));
    }
    let Some(published) = &tail.last else {
        return Ok(Position::START);
    };
    let position = published.position;
    match store.event_at(position).await? {
        Some(stored) if stored == *published => Ok(position),
        Some(stored) => Err(KafkaError::Diverged(format!(
            "{partition} has event {} at position {position}, the store has {}: the store was restored from a copy that \
             went on differently. If the store is the one to keep, delete both topics and run `viral migrate`; the relay fills \
             them from it",
            published.event_id, stored.event_id
        ))),
        None => Err(KafkaError::Diverged(format!(
            "{partition} has position {position}, the store ends at {}: the store was restored to an earlier moment. What \
             it lacks is in Kafka: `viral import events --source kafka` into an empty database brings it back. If the store is \
             the one to keep, delete both topics and run `viral migrate`; the relay fills them from it",
            store.head().await?.position
        ))),
    }
}

/// The first event of a partition must be the first one that belongs there: a topic that was made anew while a relay was
/// at work begins in the middle.
async fn check_beginning(cluster: &Cluster, store: &dyn EventStore, tails: &[Tail]) -> Result<(), KafkaError> {
    if tails.iter().all(|tail| tail.last.is_none()) {
        return Ok(());
    }
    let firsts = tails::firsts(cluster, store.source()).await?;
    let mut expected: [Option<Position>; COUNT] = [None; COUNT];
    let until = firsts.iter().map(|(_, event)| event.position).max().unwrap_or_default();
    let mut at = Position::START;
    while at < until {
        let events = store.read_after(at, PAGE).await?;
        let Some(last) = events.last() else { break };
        at = last.position;
        for event in events.iter().filter(|event| event.position <= until) {
            expected[Partition::of(&event.stream).index()].get_or_insert(event.position);
        }
    }
    for (partition, first) in firsts {
        let found = first.position;
        if let Some(expected) = expected[partition.index()].filter(|expected| *expected != found) {
            return Err(KafkaError::Diverged(format!(
                "{partition} begins with position {found}, but {expected} belongs there first: the topic was made anew in \
                 the middle of the log. Delete it and run `viral migrate`; the relay fills it again from the store"
            )));
        }
    }
    Ok(())
}
