//! The log in pages, each read while the one before is processed. At most three are in memory at once.

use crate::error::AuditError;
use std::sync::Arc;
use tokio::sync::mpsc;
use viral_store::{EventStore, Position, StoreError, StoredEvent};

/// How many events are read at once: enough that the round trip does not count, few enough to be small.
pub(crate) const PAGE: usize = 2_048;

/// A page that could not be read.
pub(crate) struct Unread {
    /// The last position that was read.
    pub(crate) after: Position,
    pub(crate) error: StoreError,
}

/// A range of the log, page by page. The order and completeness of positions is for the reader to check.
pub(crate) struct Pages {
    receiver: mpsc::Receiver<Result<Vec<StoredEvent>, Unread>>,
}

impl Pages {
    /// Starts to read the events after `after` up to `up_to`. The reading ends when the pages are dropped.
    pub(crate) fn open(store: Arc<dyn EventStore>, after: Position, up_to: Position) -> Pages {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(read(store, after, up_to, sender));
        Pages { receiver }
    }

    /// The next page; none at the end of the range or of the log, whichever comes first.
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<StoredEvent>, Unread>> {
        self.receiver.recv().await
    }
}

async fn read(
    store: Arc<dyn EventStore>,
    mut after: Position,
    up_to: Position,
    sender: mpsc::Sender<Result<Vec<StoredEvent>, Unread>>,
) {
    let mut limit = PAGE;
    while after < up_to {
        let rest = usize::try_from(up_to.0 - after.0).unwrap_or(usize::MAX);
        let page = match store.read_after(after, limit.min(rest)).await {
            // One event of the page is damaged: the ones before it are read one by one, so that it can be named.
            Err(StoreError::Corrupt(_)) if limit > 1 => {
                limit = 1;
                continue;
            }
            Err(error) => Err(Unread { after, error }),
            Ok(page) => Ok(page),
        };
        let last = page.as_ref().ok().and_then(|page| page.last()).map(|e| e.position);
        if last.is_none() && page.is_ok() {
            return;
        }
        let sent = sender.send(page).await;
        match last {
            // Positions that do not grow would be read for ever.
            Some(last) if sent.is_ok() && last > after => after = last,
            _ => return,
        }
    }
}

/// Checks that the events are the ones right after a position, and moves it.
pub(crate) fn check_next(position: &mut Position, event: &StoredEvent) -> Result<(), AuditError> {
    let next = position.next();
    if event.position != next {
        let problem = format!("missing, position {} follows", event.position);
        return Err(AuditError::broken(next, problem));
    }
    *position = next;
    Ok(())
}

/// Checks that the range was read to its end.
pub(crate) fn check_end(position: Position, up_to: Position) -> Result<(), AuditError> {
    if position < up_to {
        let problem = format!("missing, though the head of the log says {up_to}");
        return Err(AuditError::broken(position.next(), problem));
    }
    Ok(())
}

impl From<Unread> for AuditError {
    fn from(unread: Unread) -> AuditError {
        match unread.error {
            StoreError::Corrupt(problem) => AuditError::broken(unread.after.next(), problem),
            error => AuditError::Store(error),
        }
    }
}
