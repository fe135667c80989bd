//! What fills ClickHouse: ranges of the log, each noted before it is inserted.

use super::client::ClickHouse;
use super::gather::{Following, PAGE};
use super::rebuild::is_exchange;
use crate::error::ProjectionError;
use crate::registry::{self, Registered, Target};
use crate::status::lost_events;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use viral_store::EventStore;
use viral_store::feed::{Feeds, StoreFeed};

/// The name by which it is listed among the read models.
pub(crate) const NAME: &str = "clickhouse";

/// How long events are gathered before they are inserted: each insert is a part that has to be merged.
const LINGER: Duration = Duration::from_millis(100);
/// Pauses after errors, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// How often a stopped projector looks whether somebody resumed it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Keeps ClickHouse up to date with the log. Any number of processes may do this at once: they send the same ranges.
#[derive(Debug, Clone)]
pub struct ClickHouseProjector {
    pub(super) clickhouse: ClickHouse,
    pub(super) pool: PgPool,
    pub(super) store: Arc<dyn EventStore>,
    feeds: Arc<dyn Feeds>,
    /// Whether missing tables are made.
    migrates: bool,
}

/// What came of looking for a range.
enum Step {
    /// It is inserted, and had so many events.
    Inserted(usize),
    /// There is none: everything is there.
    Idle,
    /// Somebody else is further on, or was faster.
    Again,
}

/// What was told of errors, and how long to wait after the next one.
struct Trouble {
    told: Option<String>,
    pause: Duration,
}

impl ClickHouseProjector {
    /// A projector of this log, with a pool from [`crate::connect`].
    pub fn new(clickhouse: ClickHouse, pool: PgPool, store: Arc<dyn EventStore>) -> ClickHouseProjector {
        let feeds = Arc::new(StoreFeed::new(store.clone()));
        ClickHouseProjector {
            clickhouse,
            pool,
            store,
            feeds,
            migrates: false,
        }
    }

    /// Makes missing tables at the start, as `viral migrate` does.
    pub fn migrating(self) -> ClickHouseProjector {
        ClickHouseProjector { migrates: true, ..self }
    }

    /// Follows the log by other feeds than the store's own.
    pub fn with_feeds(self, feeds: Arc<dyn Feeds>) -> ClickHouseProjector {
        ClickHouseProjector { feeds, ..self }
    }

    /// Keeps ClickHouse up to date until `stop` says true, or nobody can say so any more. While it cannot be, because
    /// ClickHouse or a database is away or refuses, that is told and tried again: nothing else stops for it.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            // A range that is under way is sent again at the next start.
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.follow() => {}
        }
    }

    /// Lets it go on after it stopped. Answers whether it had.
    ///
    /// # Errors
    /// [`ProjectionError::NotSetUp`] if it never ran; [`ProjectionError::ClickHouse`] while a rebuild exchanges tables, or
    /// after one that ended half-way.
    pub async fn resume(&self) -> Result<bool, ProjectionError> {
        let mut tx = self.pool.begin().await?;
        let noted = registry::lock_in_tx(&mut tx, NAME, Target::Live).await?;
        let noted = noted.ok_or_else(|| ProjectionError::NotSetUp(NAME.to_owned()))?;
        if let Some(problem) = noted.problem.filter(|problem| is_exchange(problem)) {
            return Err(ProjectionError::ClickHouse(problem));
        }
        let had_stopped = registry::unhalt_in_tx(&mut tx, NAME).await?;
        tx.commit().await?;
        Ok(had_stopped)
    }

    /// Never ends by itself.
    async fn follow(&self) {
        let mut trouble = Trouble {
            told: None,
            pause: PAUSES.0,
        };
        loop {
            match self.try_follow(&mut trouble).await {
                Ok(never) => match never {},
                Err(error) => self.wait_after(&error, &mut trouble).await,
            }
        }
    }

    async fn try_follow(&self, trouble: &mut Trouble) -> Result<std::convert::Infallible, ProjectionError> {
        self.register().await?;
        match self.migrates {
            true => self.clickhouse.migrate().await.map(drop)?,
            false => self.clickhouse.check_tables().await?,
        }
        let noted = self.agree().await?;
        if noted.position >= self.store.head().await?.position {
            self.works(&noted, trouble).await?;
        }
        let mut following = self.open(&noted).await?;
        let mut halted = false;
        loop {
            let noted = self.noted().await?;
            if let Some(problem) = &noted.problem {
                if !std::mem::replace(&mut halted, true) {
                    tracing::error!(position = %noted.position, problem, "ClickHouse is not filled any more");
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            halted = false;
            if following.at(noted.position).is_none() {
                following = self.open(&noted).await?;
            }
            match self.advance(&noted, &mut following).await {
                Ok(Step::Again) => {}
                Ok(Step::Idle) => self.works(&noted, trouble).await?,
                Ok(Step::Inserted(count)) => {
                    self.works(&noted, trouble).await?;
                    if count < PAGE {
                        tokio::time::sleep(LINGER).await;
                    }
                }
                Err(ProjectionError::Halted { position, problem, .. }) => {
                    let problem = format!("position {position}: {problem}");
                    registry::halt(&self.pool, NAME, noted.position, &problem).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// After an error that is tried again. What does not pass by itself is noted where an operator looks, too.
    async fn wait_after(&self, error: &ProjectionError, trouble: &mut Trouble) {
        let text = error.to_string();
        if trouble.told.as_ref() != Some(&text) {
            tracing::warn!(%error, "ClickHouse is not filled; trying again");
        }
        if !error.is_retryable() {
            // Where the database is away, too, the next time does it.
            let _ = self.note_refusal(Some(&text)).await;
        }
        trouble.told = Some(text);
        tokio::time::sleep(trouble.pause).await;
        trouble.pause = (trouble.pause * 2).min(PAUSES.1);
    }

    /// Everything is as it should be, whatever it was before.
    async fn works(&self, noted: &Registered, trouble: &mut Trouble) -> Result<(), ProjectionError> {
        trouble.pause = PAUSES.0;
        if trouble.told.take().is_some() {
            tracing::info!("ClickHouse is filled again");
        }
        match noted.refusal {
            Some(_) => self.note_refusal(None).await,
            None => Ok(()),
        }
    }

    async fn open(&self, noted: &Registered) -> Result<Following, ProjectionError> {
        let at = noted.checkpoint(self.store.as_ref()).await?;
        if !self.store.has(&at).await? {
            return Err(ProjectionError::ClickHouse(lost_events(NAME, at.position)));
        }
        let feed = self.feeds.open(&at, noted.place.as_deref());
        Ok(Following::new(feed, at))
    }

    /// Inserts the next range.
    async fn advance(&self, noted: &Registered, following: &mut Following) -> Result<Step, ProjectionError> {
        let events = following.gather(noted.intended).await?;
        // ClickHouse may have been emptied or restored since, or another projector is further on.
        if self.check_source().await? != noted.position {
            self.agree().await?;
            following.lose();
            return Ok(Step::Again);
        }
        let to = match following.at(noted.position) {
            Some(at) if !events.is_empty() => at.after_all(&events),
            Some(_) => return Ok(Step::Idle),
            None => return Ok(Step::Again),
        };
        if noted.intended.is_none() && !self.intend(noted, to.position).await? {
            // Somebody else has noted another range meanwhile.
            following.lose();
            return Ok(Step::Again);
        }
        self.insert(noted.position, &events).await?;
        self.move_on(noted, &to, following.place().as_deref()).await?;
        following.move_to(to);
        Ok(Step::Inserted(events.len()))
    }
}
