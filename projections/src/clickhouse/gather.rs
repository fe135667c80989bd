//! Gathering the events of the next range from a feed.

use crate::error::ProjectionError;
use std::time::Duration;
use viral_store::feed::Feed;
use viral_store::{Checkpoint, Position, StoredEvent};

/// How many events are in a range at most, and how many bytes of them.
const RANGE: usize = 20_000;
const BYTES: usize = 16 * 1_024 * 1_024;
/// How many are read at once.
pub(super) const PAGE: usize = 2_000;
/// How long one look for new events takes. Notifications make it shorter.
const WAIT: Duration = Duration::from_secs(5);
/// A feed and where it is.
pub(super) struct Following {
    feed: Box<dyn Feed>,
    /// None: it has to be opened again, wherever the next range begins.
    at: Option<Checkpoint>,
}

impl Following {
    pub(super) fn new(feed: Box<dyn Feed>, at: Checkpoint) -> Following {
        Following { feed, at: Some(at) }
    }

    /// Where it is, if it is at this position.
    pub(super) fn at(&self, position: Position) -> Option<Checkpoint> {
        self.at.filter(|at| at.position == position)
    }

    pub(super) fn move_to(&mut self, to: Checkpoint) {
        self.at = Some(to);
    }

    /// It has to be opened again, wherever the next range begins.
    pub(super) fn lose(&mut self) {
        self.at = None;
    }

    /// Where the feed goes on.
    pub(super) fn place(&self) -> Option<String> {
        self.feed.place()
    }

    /// The next events in whole units: up to `end` if that is given, else as many as are at hand and fit in a range.
    pub(super) async fn gather(&mut self, end: Option<Position>) -> Result<Vec<StoredEvent>, ProjectionError> {
        let Some(at) = &self.at else { return Ok(Vec::new()) };
        let events = gather_from(self.feed.as_mut(), at, end).await?;
        if events.is_empty() && end.is_some() {
            // What was intended once is in the log, but not in this feed yet, or only a part of it: it is read again.
            self.lose();
        }
        Ok(events)
    }
}

/// As many events of a range that ends here as fit. Reading goes on behind the last of them.
pub(super) async fn gather_page(
    feed: &mut dyn Feed,
    after: &Checkpoint,
    end: Position,
) -> Result<Vec<StoredEvent>, ProjectionError> {
    let mut events = gather_from(feed, after, None).await?;
    events.retain(|event| event.position <= end);
    Ok(events)
}

async fn gather_from(
    feed: &mut dyn Feed,
    after: &Checkpoint,
    end: Option<Position>,
) -> Result<Vec<StoredEvent>, ProjectionError> {
    let (mut events, mut at, mut bytes) = (Vec::new(), *after, 0);
    loop {
        let wait = match events.is_empty() || end.is_some() {
            true => WAIT,
            false => Duration::ZERO,
        };
        let left = end.map_or(PAGE, |end| {
            usize::try_from(end.0.saturating_sub(at.position.0)).unwrap_or(PAGE)
        });
        let page = feed.read_on(&at, left.min(PAGE), wait).await?;
        if page.is_empty() {
            return Ok(if end.is_some() { Vec::new() } else { events });
        }
        at = at.after_all(&page);
        // A full page may have lost the beginning of a unit at its end.
        let full = page.len() >= PAGE / 2;
        bytes += page
            .iter()
            .map(|event| event.payload.len() + event.metadata.len())
            .sum::<usize>();
        events.extend(page);
        match end {
            Some(end) if at.position >= end => {
                events.retain(|event| event.position <= end);
                return Ok(events);
            }
            None if !full || events.len() >= RANGE || bytes >= BYTES => return Ok(events),
            _ => {}
        }
    }
}
