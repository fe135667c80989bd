//! Reading: the feed from the beginning to the end, and a bare consumer that counts the bytes of the same partitions.

use super::super::meter::Cost;
use super::{Bed, client_error};
use crate::Error;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::Arc;
use std::time::{Duration, Instant};
use viral_kafka::KafkaFeeds;
use viral_kafka::partition::Partition;
use viral_projections::UnreadableRecords;
use viral_store::Checkpoint;
use viral_store::feed::Feeds as _;

/// As many as read models ask for.
const PAGE: usize = 1_000;
/// How long nothing may come.
const STALL: Duration = Duration::from_secs(30);

pub(super) async fn feed(bed: &Bed<'_>, events: u64) -> Result<Cost, Error> {
    let unreadable = UnreadableRecords::new(viral_projections::connect(&bed.url)?);
    let feeds = KafkaFeeds::new(bed.broker.cluster(), bed.store.clone(), Arc::new(unreadable));
    let meter = bed.meter().await?;
    let mut feed = feeds.open(&Checkpoint::START, None);
    let (mut at, mut count) = (Checkpoint::START, 0_u64);
    while count < events {
        let page = feed.read_on(&at, PAGE, STALL).await;
        let page = page.map_err(|e| Error::Other(format!("the feed of the benchmark: {e}")))?;
        if page.is_empty() {
            let at = at.position;
            return Err(Error::Other(format!("the feed gave nothing behind position {at}")));
        }
        at = at.after_all(&page);
        count += page.len() as u64;
    }
    Ok(meter.cost(count))
}

pub(super) async fn bare(bed: &Bed<'_>, events: u64) -> Result<Cost, Error> {
    let config = bed.broker.consumer();
    let meter = bed.meter().await?;
    let read = tokio::task::spawn_blocking(move || {
        let failed = client_error("the bare consumer");
        let consumer: BaseConsumer = config.create().map_err(&failed)?;
        let mut list = TopicPartitionList::new();
        for partition in Partition::all() {
            list.add_partition_offset(partition.topic, partition.number, Offset::Beginning)
                .map_err(&failed)?;
        }
        consumer.assign(&list).map_err(&failed)?;
        let (mut count, mut bytes, mut moved) = (0, 0, Instant::now());
        while count < events {
            match consumer.poll(Duration::from_millis(100)) {
                Some(message) => {
                    let message = message.map_err(&failed)?;
                    count += 1;
                    bytes += message.payload_len() + message.key_len();
                    moved = Instant::now();
                }
                None if moved.elapsed() > STALL => {
                    return Err(Error::Other(format!(
                        "the bare consumer got {count} of {events} records"
                    )));
                }
                None => {}
            }
        }
        tracing::debug!(bytes, "read");
        Ok(())
    });
    read.await.map_err(|e| Error::Other(e.to_string()))??;
    Ok(meter.cost(events))
}
