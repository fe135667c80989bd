//! The feed: every event once and in order, to whoever follows the log.

use crate::error::StoreError;
use crate::event::{Position, StoredEvent};
use crate::port::EventStore;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// An ordered source of events. Projections and workers follow it without knowing where it comes from.
#[async_trait]
pub trait Feed: Send {
    /// The next events after a position, at most `limit`. Waits for some, at most `timeout`; then the answer is empty.
    async fn read_after(
        &mut self,
        after: Position,
        limit: usize,
        timeout: Duration,
    ) -> Result<Vec<StoredEvent>, StoreError>;
}

/// The feed that comes straight from the store.
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

#[async_trait]
impl Feed for StoreFeed {
    async fn read_after(
        &mut self,
        after: Position,
        limit: usize,
        timeout: Duration,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let events = self.store.read_after(after, limit).await?;
        if !events.is_empty() {
            return Ok(events);
        }
        self.store.wait_for(after, timeout).await?;
        self.store.read_after(after, limit).await
    }
}
