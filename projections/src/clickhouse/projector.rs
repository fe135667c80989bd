//! What fills ClickHouse: ranges of the log, each noted before it is inserted.

use super::client::ClickHouse;
use super::rows::{EntryRow, EventRow, Watermark, entries};
use crate::error::ProjectionError;
use crate::registry::{self, Registered, Target};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;
use viral_store::feed::{Feed, Feeds, StoreFeed};
use viral_store::{EventStore, Position, StoredEvent};

/// The name by which it is listed among the read models.
pub(super) const NAME: &str = "clickhouse";

/// How many events are in a range at most, and how many bytes of them.
const RANGE: usize = 20_000;
const BYTES: usize = 16 * 1_024 * 1_024;
/// How many are read at once.
const PAGE: usize = 2_000;
/// How long one look for new events takes. Notifications make it shorter.
const WAIT: Duration = Duration::from_secs(5);
/// How long events are gathered before they are inserted: each insert is a part that has to be merged.
const LINGER: Duration = Duration::from_millis(100);
/// How long an insert may take.
const INSERT: Duration = Duration::from_secs(60);
/// Pauses after errors, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// A feed that is here has to be opened again.
const NOWHERE: Position = Position(u64::MAX);
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

/// A feed and where it is.
struct Following {
    feed: Box<dyn Feed>,
    at: Position,
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

    /// Never ends by itself.
    async fn follow(&self) {
        let (mut pause, mut told) = (PAUSES.0, None);
        loop {
            match self.try_follow(&mut pause, &mut told).await {
                Ok(never) => match never {},
                Err(error) => {
                    let text = error.to_string();
                    if told.as_ref() != Some(&text) {
                        tracing::warn!(%error, "ClickHouse is not filled; trying again");
                        told = Some(text);
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    async fn try_follow(
        &self,
        pause: &mut Duration,
        told: &mut Option<String>,
    ) -> Result<std::convert::Infallible, ProjectionError> {
        match self.migrates {
            true => self.clickhouse.migrate().await.map(drop)?,
            false => self.clickhouse.check_tables().await?,
        }
        let noted = self.agree().await?;
        let mut following = self.open(&noted);
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
            if following.at != noted.position {
                following = self.open(&noted);
            }
            match self.advance(&noted, &mut following).await {
                Ok(0) => {}
                Ok(count) => {
                    *pause = PAUSES.0;
                    if told.take().is_some() {
                        tracing::info!("ClickHouse is filled again");
                    }
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

    fn open(&self, noted: &Registered) -> Following {
        Following {
            feed: self.feeds.open(noted.position, noted.place.as_deref()),
            at: noted.position,
        }
    }

    /// Inserts the next range. Answers how many events it had.
    async fn advance(&self, noted: &Registered, following: &mut Following) -> Result<usize, ProjectionError> {
        let events = gather(following, noted.intended).await?;
        let Some(last) = events.last() else { return Ok(0) };
        let to = last.position;
        // ClickHouse may have been emptied or restored since, or another projector is further on.
        if self.check_source().await? != noted.position {
            self.agree().await?;
            following.at = NOWHERE;
            return Ok(0);
        }
        if noted.intended.is_none() && !self.intend(noted, to).await? {
            // Somebody else has noted another range meanwhile.
            following.at = NOWHERE;
            return Ok(0);
        }
        self.insert(noted.position, &events).await?;
        self.move_on(noted, to, following.feed.place().as_deref()).await?;
        following.at = to;
        Ok(events.len())
    }

    /// Inserts a range: its events and entries, then the watermark. The same range has the same tokens whoever sends it.
    async fn insert(&self, after: Position, events: &[StoredEvent]) -> Result<(), ProjectionError> {
        let Some(last) = events.last() else { return Ok(()) };
        self.insert_rows(after, events, &|table| table.to_owned()).await?;
        let watermark = Watermark {
            source: self.store.source().to_owned(),
            position: last.position.0,
            recorded_at: last.recorded_at,
        };
        let token = self.token("watermark_rows", after, last);
        self.clickhouse.insert("watermark_rows", &token, &[watermark]).await
    }

    /// Inserts the events of a range and their entries into the tables that `table` says.
    pub(super) async fn insert_rows(
        &self,
        after: Position,
        events: &[StoredEvent],
        table: &(dyn Fn(&str) -> String + Sync),
    ) -> Result<(), ProjectionError> {
        let Some(last) = events.last() else { return Ok(()) };
        let mut entry_rows: Vec<EntryRow> = Vec::new();
        for event in events {
            entry_rows.extend(entries(event)?);
        }
        let event_rows: Vec<EventRow> = events.iter().map(EventRow::from).collect();
        let (name, entries_name) = (table("event_rows"), table("ledger_entry_rows"));
        let range = (after, last.position);
        let token = self.token(&name, after, last);
        self.insert_all(&name, "position", range, &token, &event_rows).await?;
        if !entry_rows.is_empty() {
            let token = self.token(&entries_name, after, last);
            let key = "position, posting, side";
            self.insert_all(&entries_name, key, range, &token, &entry_rows).await?;
        }
        Ok(())
    }

    /// Inserts rows and sees that they are there: a server may remember a token whose rows it has lost.
    async fn insert_all<R>(
        &self,
        table: &str,
        key: &str,
        (after, to): (Position, Position),
        token: &str,
        rows: &[R],
    ) -> Result<(), ProjectionError>
    where
        R: clickhouse::RowOwned + clickhouse::RowWrite,
    {
        let statement = format!("SELECT uniqExact({key}) FROM {table} WHERE position > {after} AND position <= {to}");
        let count = || async {
            let asked = self.clickhouse.client().query(&statement).fetch_one::<u64>();
            self.clickhouse.within(asked).await
        };
        self.clickhouse.insert(table, token, rows).await?;
        if count().await? >= rows.len() as u64 {
            return Ok(());
        }
        tracing::warn!(table, %after, %to, "rows that were inserted before are gone: they are inserted again");
        let fresh = format!("{token} {}", Uuid::now_v7());
        self.clickhouse.insert(table, &fresh, rows).await?;
        match count().await? {
            found if found >= rows.len() as u64 => Ok(()),
            found => Err(ProjectionError::ClickHouse(format!(
                "{table} has {found} rows behind position {after} up to {to}, {} were inserted",
                rows.len()
            ))),
        }
    }

    /// The same for the same events, and no others: a log that was restored may go on differently.
    fn token(&self, table: &str, after: Position, last: &StoredEvent) -> String {
        let (source, to, id) = (self.store.source(), last.position, last.event_id);
        format!("{source} {table} {after}-{to} {id}")
    }

    /// Lets it go on after it stopped. Answers whether it had.
    ///
    /// # Errors
    /// [`ProjectionError::NotSetUp`] if it never ran.
    pub async fn resume(&self) -> Result<bool, ProjectionError> {
        self.noted().await?;
        let mut connection = self.pool.acquire().await?;
        registry::unhalt_in_tx(&mut connection, NAME).await
    }

    /// Compares what is noted with what ClickHouse has, and begins where both agree.
    async fn agree(&self) -> Result<Registered, ProjectionError> {
        let has = self.check_source().await?;
        self.check_same_course(has).await?;
        self.register().await?;
        let noted = self.noted().await?;
        let head = self.store.head().await?.position;
        let is_waiting = noted.intended.is_some_and(|intended| intended > head);
        if noted.position == has && !is_waiting {
            return Ok(noted);
        }
        // The watermark is written after everything else: ClickHouse has what it says, whatever was noted. It may have
        // been restored or emptied, or the note of the last range was lost with its database.
        tracing::warn!(noted = %noted.position, clickhouse = %has, "going on from where ClickHouse is");
        sqlx::query(
            "UPDATE projections SET position = $2, intended = NULL, feed_place = NULL, updated_at = now() \
             WHERE name = $1 AND state = 'live' AND position = $3 AND intended IS NOT DISTINCT FROM $4",
        )
        .bind(NAME)
        .bind(registry::signed(has))
        .bind(registry::signed(noted.position))
        .bind(noted.intended.map(registry::signed))
        .execute(&self.pool)
        .await?;
        self.noted().await
    }

    /// Where ClickHouse is, if it is this log's.
    pub(super) async fn check_source(&self) -> Result<Position, ProjectionError> {
        let source = self.store.source();
        match self.clickhouse.watermark().await? {
            Some((found, _)) if found != source => Err(ProjectionError::ClickHouse(format!(
                "{} holds the log {found}, this one is {source}: name another database in CLICKHOUSE_URL, or drop that one",
                self.clickhouse
            ))),
            Some((_, position)) => Ok(position),
            None => Ok(Position::START),
        }
    }

    /// Refuses a log that has gone on differently: it was restored to an earlier moment.
    async fn check_same_course(&self, has: Position) -> Result<(), ProjectionError> {
        if has == Position::START {
            return Ok(());
        }
        let stored = self.store.read_after(Position(has.0 - 1), 1).await?.pop();
        let kept = self.clickhouse.event_at(has).await?;
        match (&stored, &kept) {
            (Some(stored), Some(kept)) if EventRow::from(stored) == *kept => Ok(()),
            _ => Err(ProjectionError::ClickHouse(format!(
                "{} has another event at position {has} than the log, which was restored to an earlier moment: \
                 run `viral projections rebuild clickhouse`",
                self.clickhouse
            ))),
        }
    }

    async fn noted(&self) -> Result<Registered, ProjectionError> {
        let found = registry::find(&self.pool, NAME, Target::Live).await?;
        found.ok_or_else(|| ProjectionError::NotSetUp(NAME.to_owned()))
    }

    pub(super) async fn register(&self) -> Result<(), ProjectionError> {
        let statement = "INSERT INTO projections (name, version, schema_version, state, position) \
             VALUES ($1, 1, 1, 'live', 0) ON CONFLICT DO NOTHING";
        sqlx::query(statement).bind(NAME).execute(&self.pool).await?;
        Ok(())
    }

    /// Notes what is about to be inserted. Answers false if somebody else did, or moved on.
    async fn intend(&self, noted: &Registered, to: Position) -> Result<bool, ProjectionError> {
        let statement = "UPDATE projections SET intended = $4, updated_at = now() \
             WHERE name = $1 AND version = $2 AND position = $3 AND intended IS NULL";
        let done = sqlx::query(statement)
            .bind(NAME)
            .bind(noted.version)
            .bind(registry::signed(noted.position))
            .bind(registry::signed(to))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes that a range is inserted, unless somebody else did.
    async fn move_on(&self, noted: &Registered, to: Position, place: Option<&str>) -> Result<(), ProjectionError> {
        let statement = "UPDATE projections SET position = $4, intended = NULL, feed_place = coalesce($5, feed_place), \
             updated_at = now() WHERE name = $1 AND version = $2 AND position = $3";
        sqlx::query(statement)
            .bind(NAME)
            .bind(noted.version)
            .bind(registry::signed(noted.position))
            .bind(registry::signed(to))
            .bind(place)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// The next events in whole units: up to `end` if that is given, else as many as are at hand and fit in a range.
async fn gather(following: &mut Following, end: Option<Position>) -> Result<Vec<StoredEvent>, ProjectionError> {
    let events = gather_from(following.feed.as_mut(), following.at, end).await?;
    if events.is_empty() && end.is_some() {
        // What was intended once is in the log, but not in this feed yet, or only a part of it: it is read again.
        following.at = NOWHERE;
    }
    Ok(events)
}

/// As many events of a range that ends here as fit. Reading goes on behind the last of them.
pub(super) async fn gather_page(
    feed: &mut dyn Feed,
    after: Position,
    end: Position,
) -> Result<Vec<StoredEvent>, ProjectionError> {
    let mut events = gather_from(feed, after, None).await?;
    events.retain(|event| event.position <= end);
    Ok(events)
}

async fn gather_from(
    feed: &mut dyn Feed,
    after: Position,
    end: Option<Position>,
) -> Result<Vec<StoredEvent>, ProjectionError> {
    let (mut events, mut at, mut bytes) = (Vec::new(), after, 0);
    loop {
        let wait = match events.is_empty() || end.is_some() {
            true => WAIT,
            false => Duration::ZERO,
        };
        let left = end.map_or(PAGE, |end| usize::try_from(end.0.saturating_sub(at.0)).unwrap_or(PAGE));
        let page = feed.read_after(at, left.min(PAGE), wait).await?;
        let Some(last) = page.last() else {
            return Ok(if end.is_some() { Vec::new() } else { events });
        };
        at = last.position;
        let full = page.len() >= PAGE;
        bytes += page
            .iter()
            .map(|event| event.payload.len() + event.metadata.len())
            .sum::<usize>();
        events.extend(page);
        match end {
            Some(end) if at >= end => {
                events.retain(|event| event.position <= end);
                return Ok(events);
            }
            None if !full || events.len() >= RANGE || bytes >= BYTES => return Ok(events),
            _ => {}
        }
    }
}

impl ClickHouse {
    /// Inserts rows in one part, once for each token.
    pub(super) async fn insert<R>(&self, table: &str, token: &str, rows: &[R]) -> Result<(), ProjectionError>
    where
        R: clickhouse::RowOwned + clickhouse::RowWrite,
    {
        let inserted = tokio::time::timeout(INSERT * 2, async {
            let mut insert = self
                .client()
                .insert::<R>(table)
                .await?
                .with_setting("async_insert", "0")
                .with_setting("insert_deduplicate", "1")
                .with_setting("insert_deduplication_token", token)
                .with_setting("wait_end_of_query", "1")
                .with_timeouts(Some(INSERT), Some(INSERT));
            for row in rows {
                insert.write(row).await?;
            }
            insert.end().await
        });
        match inserted.await {
            Ok(inserted) => inserted.map_err(|error| self.error(error)),
            Err(_) => Err(ProjectionError::ClickHouseAway(format!(
                "ClickHouse at {self} did not take rows within {} s",
                (INSERT * 2).as_secs()
            ))),
        }
    }

    /// The event at a position, if it is there.
    pub(super) async fn event_at(&self, position: Position) -> Result<Option<EventRow>, ProjectionError> {
        let mut events = self.events_between(position, position).await?;
        Ok(events.pop())
    }

    /// The events from one position to another, in order.
    pub(super) async fn events_between(&self, from: Position, to: Position) -> Result<Vec<EventRow>, ProjectionError> {
        let statement = "SELECT ?fields FROM event_rows FINAL WHERE position BETWEEN ? AND ? ORDER BY position";
        let query = self.client().query(statement).bind(from.0).bind(to.0);
        self.within(query.fetch_all::<EventRow>()).await
    }
}
