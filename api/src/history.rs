//! The book as it was: from the nearest snapshot, and the events up to a position.
//!
//! Such a book is as large as the present one. So only a few are computed at a time, and the last one is kept for a
//! while: the pages of a report ask for the same position again and again.

use crate::kind;
use crate::problem::Problem;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use viral_commands::BookAt;
use viral_commands::error::FollowError;
use viral_ledger::trial_balance::Totals;
use viral_ledger::{Asset, Book};
use viral_store::{EventStore, Position};

/// How many books are computed at the same time.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the last book is kept without being asked for.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// A book of the past.
#[derive(Debug)]
pub(crate) struct PastBook {
    pub(crate) book: Book,
    pub(crate) position: Position,
    /// The sums of every asset over all accounts.
    pub(crate) totals: BTreeMap<Asset, Totals>,
}

/// Computes books of the past.
#[derive(Debug)]
pub(crate) struct History {
    store: Arc<dyn EventStore>,
    permits: Arc<Semaphore>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    past: Arc<PastBook>,
    used: Instant,
}

/// A moment that a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsOf {
    /// After the event at this position.
    Position(Position),
    /// After everything that was recorded up to this time.
    Time(DateTime<Utc>),
}

impl History {
    pub(crate) fn new(store: Arc<dyn EventStore>) -> Arc<History> {
        Arc::new(History {
            store,
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            kept: Mutex::default(),
        })
    }

    /// The book after the event at a position that is in the log.
    pub(crate) async fn at(self: &Arc<Self>, position: Position) -> Result<Arc<PastBook>, Problem> {
        if let Some(past) = self.kept(position) {
            return Ok(past);
        }
        let busy = || {
            Problem::new(
                kind::BUSY,
                "too many reports about the past are computed at once, try again",
            )
        };
        let permit = tokio::time::timeout(PATIENCE, self.permits.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| busy())?.map_err(|_| busy())?;
        // Whoever had the permit before may have asked for the same.
        if let Some(past) = self.kept(position) {
            return Ok(past);
        }
        let (history, runtime) = (self.clone(), Handle::current());
        let compute = async move {
            let _permit = permit;
            history.compute(position).await
        };
        // Hashing, parsing and applying keep a thread busy for seconds where the book is large: not one of those that
        // answer requests. What has begun is finished, also when the caller has gone: asked again, it is there.
        let compute = compute.in_current_span();
        let computed = tokio::task::spawn_blocking(move || runtime.block_on(compute)).await;
        computed.unwrap_or_else(|error| {
            tracing::error!(%error, "a book of the past was not computed");
            let detail = "something went wrong here, the log says what";
            Err(Problem::new(kind::INTERNAL, detail))
        })
    }

    /// Computes a book and keeps it.
    async fn compute(self: Arc<Self>, position: Position) -> Result<Arc<PastBook>, Problem> {
        let mut state = BookAt::load(self.store.as_ref(), position).await?;
        state.follow(self.store.as_ref(), position).await?;
        let past = Arc::new(PastBook {
            totals: state.book.totals(),
            book: state.book,
            position,
        });
        self.keep(past.clone());
        Ok(past)
    }

    /// The last position that belongs to a moment. `now` tells a time that is still to come.
    pub(crate) async fn resolve(&self, as_of: AsOf, now: DateTime<Utc>) -> Result<Position, Problem> {
        let head = self.store.head().await?;
        let beyond = |what: String| {
            Problem::new(
                kind::AS_OF_BEYOND_HEAD,
                format!("{what}, the log ends at position {}", head.position),
            )
            .with("head", head.position.to_string())
        };
        match as_of {
            AsOf::Position(position) if position > head.position => {
                Err(beyond(format!("position {position} is not there yet")))
            }
            AsOf::Position(position) => Ok(position),
            AsOf::Time(time) if time >= head.recorded_at && time <= now.max(head.recorded_at) => Ok(head.position),
            AsOf::Time(time) if time > head.recorded_at => Err(beyond("that time is still to come".to_owned())),
            AsOf::Time(time) => self.last_until(time, head.position).await,
        }
    }

    /// The last position recorded at or before a time. Times never go back in the log, so halving finds it.
    async fn last_until(&self, time: DateTime<Utc>, head: Position) -> Result<Position, Problem> {
        let (mut low, mut high) = (0, head.0);
        while low < high {
            let middle = high - (high - low) / 2;
            let event = self.store.read_after(Position(middle - 1), 1).await?.pop();
            let event = event.ok_or_else(|| FollowError::Broken {
                position: Position(middle),
                problem: format!("missing, though the head of the log is {head}"),
            })?;
            if event.recorded_at <= time {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(Position(low))
    }

    fn kept(&self, position: Position) -> Option<Arc<PastBook>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_mut().filter(|kept| kept.past.position == position)?;
        kept.used = Instant::now();
        Some(kept.past.clone())
    }

    /// Keeps a book instead of the one before, and lets go of it when nobody has asked for it for a while.
    fn keep(self: &Arc<Self>, past: Arc<PastBook>) {
        let (history, position) = (Arc::downgrade(self), past.position);
        let used = Instant::now();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept { past, used });
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(KEPT_FOR).await;
                let Some(history) = history.upgrade() else { return };
                let mut kept = history.kept.lock().unwrap_or_else(PoisonError::into_inner);
                match kept.as_ref() {
                    Some(of_mine) if of_mine.past.position == position => {
                        if of_mine.used.elapsed() >= KEPT_FOR {
                            *kept = None;
                            return;
                        }
                    }
                    _ => return,
                }
            }
        });
    }
}
