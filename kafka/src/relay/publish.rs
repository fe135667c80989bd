//! Publishing: pages of the store become records, in order, as fast as the brokers acknowledge. While one page is sent the
//! next one is read. When the client's queue is full nothing more is read, so a slow broker costs no memory.

use super::outstanding::Outstanding;
use super::start::Found;
use super::{End, Status, recheck};
use crate::cluster::{self, Cluster, blocking};
use crate::error::KafkaError;
use crate::partition::{COUNT, Partition};
use crate::record::Record;
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::producer::{BaseRecord, ThreadedProducer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use viral_store::continuity::WentBack;
use viral_store::feed::{Feed as _, FeedError, StoreFeed};
use viral_store::postgres::Lease;
use viral_store::{Checkpoint, EventStore, Position, StoredEvent, units};

/// How many events are read at once.
const PAGE: usize = 2_000;
/// How long one look for new events takes. Notifications make it shorter.
const WAIT: Duration = Duration::from_secs(1);
/// How long to wait when the client's queue is full.
const FULL: Duration = Duration::from_millis(5);
/// How long what is under way may take when the relay is told to stop.
const FLUSH: Duration = Duration::from_secs(5);

/// Publishes what each partition lacks behind its last position, until it is told to stop or the lease is lost. The lease
/// is held until nothing is under way any more, unless it was lost before.
pub(super) async fn run(
    cluster: &Cluster,
    store: &Arc<dyn EventStore>,
    found: Found,
    status: &watch::Sender<Status>,
    stop: &mut watch::Receiver<bool>,
    mut lease: Lease,
) -> Result<End, KafkaError> {
    let outstanding = Outstanding::beginning_at(found.ends);
    let publisher = Publisher {
        producer: Arc::new(cluster.producer(outstanding.clone())?),
        outstanding: outstanding.clone(),
        store: store.clone(),
        tails: found.tails,
        begins_at: begins_at(store.as_ref(), &found).await?,
    };
    let ended = tokio::select! {
        error = publisher.follow(StoreFeed::new(store.clone())) => Err(error),
        error = watch_over(&outstanding, status) => Err(error),
        error = recheck::until_changed(cluster, &outstanding, status) => Err(error),
        error = lease.lost() => {
            tracing::warn!(%error, "the lease is lost: another relay may publish now");
            Ok(End::LeaseLost)
        }
        // An error means that nobody is there any more who could say so: a reason to stop as well.
        _ = stop.wait_for(|stop| *stop) => Ok(End::Told),
    };
    if ended == Ok(End::Told) {
        let producer = publisher.producer.clone();
        blocking(move || {
            cluster::flush(&producer, FLUSH);
            Ok(())
        })
        .await?;
    }
    // Records that are still under way are given up with the last handle, away from the threads that must not wait.
    let given_up = blocking(move || {
        drop(publisher);
        Ok(())
    });
    given_up.await?;
    let published = outstanding.published();
    status.send_modify(|status| status.published = status.published.max(published));
    ended
}

/// Tells how far it is, until something fails.
async fn watch_over(outstanding: &Outstanding, status: &watch::Sender<Status>) -> KafkaError {
    loop {
        outstanding.changed().await;
        if let Some(error) = outstanding.failed() {
            return error;
        }
        let published = outstanding.published();
        status.send_if_modified(|status| {
            let moved = published > status.published;
            status.published = status.published.max(published);
            moved
        });
    }
}

struct Publisher {
    producer: Arc<ThreadedProducer<Outstanding>>,
    outstanding: Outstanding,
    store: Arc<dyn EventStore>,
    /// The last position that each partition had at the start.
    tails: [Position; COUNT],
    /// The lowest of them, which all partitions have.
    begins_at: Checkpoint,
}

impl Publisher {
    /// Ends only by an error.
    async fn follow(&self, feed: StoreFeed) -> KafkaError {
        match self.try_follow(feed).await {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    async fn try_follow(&self, feed: StoreFeed) -> Result<Infallible, KafkaError> {
        let mut at = self.begins_at;
        let mut next = read(feed.clone(), at);
        loop {
            let events = next.await.map_err(ended)??;
            // The topics do not say the digest: once the head is reached it is known, and kept from then on.
            at = self.store.with_digest(at.after_all(&events)).await?;
            next = read(feed.clone(), at);
            for (index, event) in events.iter().enumerate() {
                // The feed gives whole units: the last event ends one.
                let following = events.get(index + 1);
                let ends_unit = following.is_none_or(|following| units::unit(following) != units::unit(event));
                self.send(event, ends_unit).await?;
            }
            self.outstanding.look();
        }
    }

    async fn send(&self, event: &StoredEvent, ends_unit: bool) -> Result<(), KafkaError> {
        let position = event.position;
        if position <= self.tails[Partition::of(&event.stream).index()] {
            self.outstanding.seen(position);
            return Ok(());
        }
        let record = Record::of(event, self.store.source(), ends_unit).map_err(|error| KafkaError::Refused {
            position,
            problem: error.to_string(),
        })?;
        let partition = record.partition;
        let opaque = usize::try_from(position.0).unwrap_or(usize::MAX);
        let mut waiting = BaseRecord::with_opaque_to(partition.topic, opaque)
            .partition(partition.number)
            .key(&record.key)
            .payload(&record.value)
            .timestamp(record.timestamp)
            .headers(record.headers);
        self.outstanding.sending(partition, position);
        loop {
            let Err((error, returned)) = self.producer.send(waiting) else {
                return Ok(());
            };
            if error.rdkafka_error_code() != Some(Code::QueueFull) {
                self.outstanding.not_sent(partition);
                return Err(match error.rdkafka_error_code() {
                    Some(Code::MessageSizeTooLarge) => KafkaError::Refused {
                        position,
                        problem: error.to_string(),
                    },
                    _ => self.outstanding.failed().unwrap_or_else(|| error.into()),
                });
            }
            waiting = returned;
            tokio::time::sleep(FULL).await;
        }
    }
}

/// Where the log goes on for the partition that is furthest behind. Its event was compared with the store's before.
async fn begins_at(store: &dyn EventStore, found: &Found) -> Result<Checkpoint, KafkaError> {
    let lowest = found.tails.iter().copied().min().unwrap_or_default();
    if lowest == Position::START {
        return Ok(Checkpoint::START);
    }
    match store.event_at(lowest).await? {
        Some(event) => Ok(store.with_digest(Checkpoint::at(&event)).await?),
        None => {
            let head = store.head().await?.position;
            Err(KafkaError::Store(WentBack::new(lowest, head).into()))
        }
    }
}

/// Reads the next page in a task of its own, while the one before is sent.
fn read(mut feed: StoreFeed, after: Checkpoint) -> tokio::task::JoinHandle<Result<Vec<StoredEvent>, KafkaError>> {
    tokio::spawn(async move {
        feed.read_on(&after, PAGE, WAIT).await.map_err(|error| match error {
            FeedError::Store(error) => KafkaError::Store(error),
            other => KafkaError::Unavailable(other.to_string()),
        })
    })
}

fn ended(error: tokio::task::JoinError) -> KafkaError {
    KafkaError::Unavailable(format!("the task that reads the store ended: {error}"))
}
