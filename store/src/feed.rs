//! The feed: every event once and in order, to whoever follows the log.

use crate::continuity::Checkpoint;
use crate::error::StoreError;
use crate::event::StoredEvent;
use crate::port::EventStore;
use crate::units;
use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a feed has nothing to give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The store behind it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The published log cannot be reached, or took too long.
    #[error("the published log cannot be reached: {0}")]
    Unavailable(String),
    /// An event cannot be had from anywhere: what follows it is not given either.
    #[error("the published log is incomplete: {0}")]
    Incomplete(String),
    /// The set-up is wrong.
    #[error("the published log is not set up: {0}")]
    Setup(String),
}

impl FeedError {
    /// Whether the same call may succeed later without anybody changing anything but the surroundings.
    pub fn is_retryable(&self) -> bool {
        match self {
            FeedError::Store(error) => error.is_retryable(),
            FeedError::Unavailable(_) => true,
            FeedError::Incomplete(_) | FeedError::Setup(_) => false,
        }
    }
}

/// An ordered source of events. Projections and workers follow it without knowing where it comes from.
#[async_trait]
pub trait Feed: Send {
    /// The next events after a checkpoint, in whole units and about `limit` of them. Waits for some, at most `timeout`;
    /// then the answer is empty. A checkpoint before the last one asked for may be refused as [`FeedError::Setup`]: who
    /// must go back opens a feed anew.
    ///
    /// # Errors
    /// [`StoreError::WentBack`] if the log does not have what the checkpoint has seen.
    async fn read_on(
        &mut self,
        after: &Checkpoint,
        limit: usize,
        timeout: Duration,
    ) -> Result<Vec<StoredEvent>, FeedError>;

    /// Where the source goes on after the events that were given last, in its own words. Whoever keeps it beside the
    /// position of those events can open a feed there without reading everything before it again.
    fn place(&self) -> Option<String> {
        None
    }
}

/// A record of the published log that is no event of this log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRecord {
    /// In which topic.
    pub topic: String,
    /// In which partition.
    pub partition: i32,
    /// At which offset.
    pub offset: i64,
    /// What is wrong with it.
    pub problem: String,
}

/// Takes note of what a feed leaves out. The same record may be told more than once.
#[async_trait]
pub trait NoteUnreadable: Send + Sync + fmt::Debug {
    /// Keeps it for somebody to look at.
    async fn note(&self, record: &UnreadableRecord) -> Result<(), FeedError>;
}

/// Opens feeds: from the store, or from the published log.
pub trait Feeds: Send + Sync + fmt::Debug {
    /// A feed that goes on after a checkpoint. `place` is what [`Feed::place`] said there, if anybody kept it.
    fn open(&self, after: &Checkpoint, place: Option<&str>) -> Box<dyn Feed>;
}

/// The feed that comes straight from the store. It can also be asked for earlier positions.
#[derive(Debug, Clone)]
pub struct StoreFeed {
    store: Arc<dyn EventStore>,
}

impl StoreFeed {
    /// Follows a store.
    pub fn new(store: Arc<dyn EventStore>) -> StoreFeed {
        StoreFeed { store }
    }
}

impl Feeds for StoreFeed {
    fn open(&self, _after: &Checkpoint, _place: Option<&str>) -> Box<dyn Feed> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Feed for StoreFeed {
    async fn read_on(
        &mut self,
        after: &Checkpoint,
        limit: usize,
        timeout: Duration,
    ) -> Result<Vec<StoredEvent>, FeedError> {
        let mut events = self.store.read_on(after, limit).await?;
        if events.is_empty() && !timeout.is_zero() {
            let head = self.store.wait_for(after.position, timeout).await?;
            self.store.compare(after, &head)?;
            events = match head.position > after.position {
                true => self.store.read_on(after, limit).await?,
                false => events,
            };
        }
        // A short page ends where the log ends, and units are appended as a whole.
        let mut more = events.len() >= limit;
        while more {
            let count = units::whole(&events);
            if count > 0 {
                events.truncate(count);
                break;
            }
            let last = events.last().map_or(after.position, |event| event.position);
            let page = self.store.read_after(last, limit).await?;
            more = page.len() >= limit;
            events.extend(page);
        }
        self.store.continuity().saw(after.after_all(&events));
        Ok(events)
    }
}
