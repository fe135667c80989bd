//! The feed from Kafka: the same events in the same order as the store's.
//!
//! All partitions are read at once and merged by position. A partition that runs ahead is paused, so memory stays
//! bounded. What is no event of this log is noted and passed over; a position that does not come is taken from the store,
//! and if it is not there either the feed ends visibly: nothing behind it is given.

mod place;
mod reader;

use crate::cluster::Cluster;
use crate::error::KafkaError;
use crate::merge::Read;
use async_trait::async_trait;
use reader::{Doubtful, Reader, Start};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use viral_store::feed::{Feed, FeedError, Feeds, NoteUnreadable, StoreFeed, UnreadableRecord};
use viral_store::{Checkpoint, EventStore, Position, StoredEvent, units};

/// How long a position may be missing while later ones are there: a relay that is cut off is followed by another one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many events are taken from the store at once where some are missing: what is not missing comes twice, and counts once.
const FROM_STORE: usize = 1_000;

/// Opens feeds from Kafka.
#[derive(Debug, Clone)]
pub struct KafkaFeeds {
    cluster: Cluster,
    store: Arc<dyn EventStore>,
    unreadable: Arc<dyn NoteUnreadable>,
}

impl KafkaFeeds {
    /// Feeds of the log of this store, as it is published in this cluster.
    pub fn new(cluster: Cluster, store: Arc<dyn EventStore>, unreadable: Arc<dyn NoteUnreadable>) -> KafkaFeeds {
        KafkaFeeds {
            cluster,
            store,
            unreadable,
        }
    }
}

impl Feeds for KafkaFeeds {
    fn open(&self, after: &Checkpoint, place: Option<&str>) -> Box<dyn Feed> {
        Box::new(KafkaFeed {
            feeds: self.clone(),
            origin: place.map_or(Origin::Position, |place| Origin::Place(place.to_owned())),
            at: after.position,
            reader: None,
            head: Position::START,
            read_from_beginning: false,
            missing_since: None,
            told: false,
            stop: Arc::default(),
        })
    }
}

/// Where reading begins.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    /// Where somebody was after the events that were given last.
    Place(String),
    /// Nowhere before the position that is asked for: records are stamped with the times of their events.
    Position,
    /// At the beginning of all topics.
    Beginning,
}

/// A feed from Kafka.
#[derive(Debug)]
struct KafkaFeed {
    feeds: KafkaFeeds,
    origin: Origin,
    /// The last position that was given.
    at: Position,
    /// None before the first call, and after an error.
    reader: Option<Box<Reader>>,
    /// The end of the log as far as it is known: a record beyond it is not of this log.
    head: Position,
    /// Whether a missing position was looked for from the beginning of the topics already: it is not there.
    read_from_beginning: bool,
    /// Which position is missing, and since when.
    missing_since: Option<(Position, Instant)>,
    /// Whether it was told that positions are missing.
    told: bool,
    /// Tells a thread that reads for us that nobody waits any more.
    stop: Arc<AtomicBool>,
}

impl Drop for KafkaFeed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[async_trait]
impl Feed for KafkaFeed {
    async fn read_on(
        &mut self,
        after: &Checkpoint,
        limit: usize,
        timeout: Duration,
    ) -> Result<Vec<StoredEvent>, FeedError> {
        if after.position < self.at {
            let text = format!("the feed is at {} and does not go back to {}", self.at, after.position);
            return Err(FeedError::Setup(text));
        }
        // After an error the reader is gone: the next call begins anew, from the last place.
        let events = self.read(after, limit, timeout).await?;
        self.feeds.store.continuity().saw(after.after_all(&events));
        Ok(events)
    }

    fn place(&self) -> Option<String> {
        match &self.origin {
            Origin::Place(place) => Some(place.clone()),
            Origin::Position | Origin::Beginning => None,
        }
    }
}

impl KafkaFeed {
    async fn read(
        &mut self,
        from: &Checkpoint,
        limit: usize,
        timeout: Duration,
    ) -> Result<Vec<StoredEvent>, FeedError> {
        let after = from.position;
        let deadline = Instant::now() + timeout;
        loop {
            let mut reader = match self.reader.take() {
                Some(reader) => reader,
                None => self.begin(from).await?,
            };
            if self.at < after {
                reader.skip_to(after);
                self.at = after;
            }
            let events = reader.take(limit);
            if let Some(last) = events.last() {
                self.check(last).await?;
                self.at = last.position;
                self.origin = Origin::Place(place::text(reader.offsets()));
                self.reader = Some(reader);
                return Ok(events);
            }
            let stop = self.stop.clone();
            let looked = tokio::task::spawn_blocking(move || {
                let looked = reader.look(limit, deadline, &stop);
                (reader, looked)
            });
            let (mut reader, looked) = looked
                .await
                .map_err(|error| FeedError::Unavailable(format!("the thread that reads ended: {error}")))?;
            match looked {
                Ok(doubtful) => self.settle(&mut reader, doubtful).await?,
                Err(KafkaError::Incomplete(problem)) if self.origin != Origin::Beginning => {
                    tracing::warn!(problem, "the published log is read again from its beginning");
                    self.origin = Origin::Beginning;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            if self.is_missing(&reader) {
                if self.origin != Origin::Beginning && !self.read_from_beginning {
                    // The topics may have been made anew since then.
                    tracing::warn!(after = %self.at, "a position is missing: the topics are read from their beginning");
                    (self.origin, self.read_from_beginning) = (Origin::Beginning, true);
                    self.missing_since = None;
                    continue;
                }
                self.fill_gap(&mut reader).await?;
            }
            let (nothing, trouble) = (reader.complete() == 0, reader.trouble());
            self.reader = Some(reader);
            if nothing && Instant::now() >= deadline {
                return trouble.map_or(Ok(Vec::new()), |problem| Err(FeedError::Unavailable(problem)));
            }
        }
    }

    async fn begin(&self, from: &Checkpoint) -> Result<Box<Reader>, FeedError> {
        // Whoever goes on must come from this log: the store says so, as the topics are only a copy.
        self.feeds.store.read_on(from, 1).await?;
        let after = from.position;
        let from = match &self.origin {
            Origin::Place(place) => Start::Offsets(place::parse(place)),
            // Times never go back: whatever follows an event was not recorded before it.
            Origin::Position if after > Position::START => Start::Time(from.recorded_at.timestamp_millis()),
            Origin::Position | Origin::Beginning => Start::Beginning,
        };
        let cluster = self.feeds.cluster.clone();
        let begun = crate::cluster::blocking(move || Reader::begin(&cluster, after, from)).await?;
        Ok(Box::new(begun))
    }

    /// The store must say the same of an event: it may have been restored, and have gone on differently since. Then all
    /// that follows differs, too, so the last event of a batch tells.
    async fn check(&self, event: &StoredEvent) -> Result<(), FeedError> {
        let position = event.position;
        let stored = self.feeds.store.event_at(position).await?;
        match stored.is_some_and(|stored| stored == *event) {
            true => Ok(()),
            false => Err(FeedError::Setup(format!(
                "Kafka has event {} at position {position}, the store has another one: it was restored to an earlier moment",
                event.event_id
            ))),
        }
    }

    /// Decides what the thread that reads could not: whether records are beyond the log, and notes what is left out.
    async fn settle(&mut self, reader: &mut Reader, doubtful: Doubtful) -> Result<(), FeedError> {
        let Doubtful { records, unreadable } = doubtful;
        let highest = records.iter().map(|record| record.decoded.event.position).max();
        if highest.is_some_and(|highest| highest > self.head) {
            self.head = self.feeds.store.head().await?.position;
        }
        let source = self.feeds.store.source().to_owned();
        let mut left_out = unreadable;
        for record in records {
            let problem = if record.decoded.source != source {
                format!("it is of another log, {}", record.decoded.source)
            } else if record.decoded.event.position > self.head {
                format!(
                    "position {} is beyond the end of the log",
                    record.decoded.event.position
                )
            } else {
                match reader.push(record) {
                    Ok(()) => continue,
                    Err(unreadable) => {
                        left_out.push(unreadable);
                        continue;
                    }
                }
            };
            left_out.push(reader::unreadable(record.partition, record.offset, problem));
        }
        for record in left_out {
            let UnreadableRecord {
                topic,
                partition,
                offset,
                problem,
            } = &record;
            tracing::error!(
                topic,
                partition,
                offset,
                problem,
                "a record of the published log is left out"
            );
            self.feeds.unreadable.note(&record).await?;
        }
        Ok(())
    }

    /// Whether a position is missing for so long that it will not come.
    fn is_missing(&mut self, reader: &Reader) -> bool {
        let Some((missing, _)) = reader.gap() else {
            (self.missing_since, self.read_from_beginning, self.told) = (None, false, false);
            return false;
        };
        let since = match self.missing_since {
            Some((position, since)) if position == missing => since,
            // While a hole is filled, the next position is missing for as long as the first one.
            Some((_, since)) if self.told => since,
            _ => Instant::now(),
        };
        self.missing_since = Some((missing, since));
        // As long as a partition gives records from before, it may have the position further on.
        let since = reader.catching_up().map_or(since, |at| since.max(at));
        since.elapsed() >= PATIENCE
    }

    /// Takes what is missing from the store.
    async fn fill_gap(&mut self, reader: &mut Reader) -> Result<(), FeedError> {
        let Some((missing, first)) = reader.gap() else {
            return Ok(());
        };
        let before = self.feeds.store.event_at(Position(missing.0.saturating_sub(1))).await?;
        let before = before.as_ref().map_or(Checkpoint::START, Checkpoint::at);
        let mut store = StoreFeed::new(self.feeds.store.clone());
        let events = store.read_on(&before, FROM_STORE, Duration::ZERO).await?;
        if events.first().is_none_or(|event| event.position != missing) {
            return Err(FeedError::Incomplete(format!(
                "position {missing} is neither in Kafka nor in the store, though position {first} is published"
            )));
        }
        if !std::mem::replace(&mut self.told, true) {
            tracing::error!(%missing, %first, "positions are missing in the published log: they are taken from the store");
        }
        let last = events.len() - 1;
        for (index, event) in events.into_iter().enumerate() {
            reader.push_from_store(Read {
                unit: units::unit(&event),
                event,
                ends_unit: index == last,
                from: None,
            });
        }
        Ok(())
    }
}
