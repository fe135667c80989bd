//! Filling ClickHouse anew beside what is there, which goes on meanwhile; at the end the tables are exchanged. What a
//! rebuild that ended half-way left behind is removed by the next one.

use super::NAME;
use super::projector::{ClickHouseProjector, gather_page};
use super::rows::Watermark;
use crate::error::ProjectionError;
use crate::registry;
use sqlx::{Executor as _, Row as _};
use viral_store::Position;
use viral_store::feed::StoreFeed;

/// The tables that are filled from the log.
const TABLES: [&str; 2] = ["event_rows", "ledger_entry_rows"];

/// The table that is filled beside another.
fn beside(table: &str) -> String {
    format!("{table}_rebuilt")
}

impl ClickHouseProjector {
    /// Fills all tables anew and puts them in the place of the old ones. `progress` is told the position reached and the
    /// end of the log.
    ///
    /// # Errors
    /// [`ProjectionError::RebuildInProgress`] if another process is at it; [`ProjectionError::Halted`] at an event of the
    /// ledger that cannot be read. What analysts see is as before then.
    pub async fn rebuild(&self, progress: &mut (dyn FnMut(Position, Position) + Send)) -> Result<(), ProjectionError> {
        // The lock is the connection's: it is given up when that is dropped, however that happens.
        let mut lock = self.pool.acquire().await?.detach();
        let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext('viral rebuild'), hashtext($1))")
            .bind(NAME)
            .fetch_one(&mut lock)
            .await?;
        if !locked {
            return Err(ProjectionError::RebuildInProgress(NAME.to_owned()));
        }
        self.clickhouse.migrate().await?;
        self.check_source().await?;
        self.register().await?;
        self.remove_beside().await?;
        let rebuilt = self.fill_and_exchange(progress).await;
        if rebuilt.is_err() {
            // As far as possible now; the next rebuild does it in any case.
            let _ = self.remove_beside().await;
        }
        rebuilt
    }

    async fn remove_beside(&self) -> Result<(), ProjectionError> {
        for table in TABLES {
            self.command(&format!("DROP TABLE IF EXISTS {} SYNC", beside(table)))
                .await?;
        }
        Ok(())
    }

    async fn fill_and_exchange(
        &self,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<(), ProjectionError> {
        for table in TABLES {
            self.command(&format!("CREATE TABLE {} AS {table}", beside(table)))
                .await?;
        }
        let mut at = Position::START;
        loop {
            let head = self.store.head().await?.position;
            if at >= head {
                break;
            }
            at = self.fill(at, head, progress).await?;
        }
        let mut transaction = self.pool.begin().await?;
        // From here on nobody notes another range. One that was noted before may be half-way in.
        transaction
            .execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")
            .await?;
        let statement = "SELECT version, position, greatest(position, coalesce(intended, 0)) FROM projections \
             WHERE name = $1 AND state = 'live' FOR UPDATE";
        let row = sqlx::query(statement).bind(NAME).fetch_one(&mut *transaction).await?;
        let (version, noted, needed): (i32, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let needed = registry::position(needed).min(self.store.head().await?.position);
        while at < needed {
            at = self.fill(at, needed, progress).await?;
        }
        for table in TABLES {
            self.command(&format!("EXCHANGE TABLES {} AND {table}", beside(table)))
                .await?;
        }
        self.mend_watermark(registry::position(noted), at).await?;
        // What stopped it before is tried again.
        sqlx::query("UPDATE projections SET problem = NULL, halted_at = NULL, updated_at = now() WHERE name = $1 AND version = $2")
            .bind(NAME)
            .bind(version)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.remove_beside().await
    }

    /// Inserts some events into the tables beside. Answers how far that is.
    async fn fill(
        &self,
        after: Position,
        head: Position,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<Position, ProjectionError> {
        let mut feed = StoreFeed::new(self.store.clone());
        let events = gather_page(&mut feed, after, head).await?;
        let Some(last) = events.last() else {
            let text = format!("the log gave nothing behind position {after}, though it ends at {head}");
            return Err(ProjectionError::Unavailable(text));
        };
        self.insert_rows(after, &events, &beside).await?;
        progress(last.position, head.max(last.position));
        Ok(last.position)
    }

    /// A watermark beyond what there is now comes from a log that was restored to an earlier moment: views would show
    /// positions that are not complete.
    async fn mend_watermark(&self, noted: Position, filled: Position) -> Result<(), ProjectionError> {
        let Some((_, has)) = self.clickhouse.watermark().await? else {
            return Ok(());
        };
        let to = noted.min(filled);
        if has <= filled && self.clickhouse.event_at(has).await?.is_some() {
            return Ok(());
        }
        self.command("TRUNCATE TABLE watermark_rows").await?;
        if let Some(event) = self.clickhouse.event_at(to).await? {
            let watermark = Watermark {
                source: self.store.source().to_owned(),
                position: to.0,
                recorded_at: event.recorded_at,
            };
            // Its token must be new: the range may have been inserted before the table was emptied.
            let token = format!("rebuilt {to} {}", uuid::Uuid::now_v7());
            self.clickhouse.insert("watermark_rows", &token, &[watermark]).await?;
        }
        Ok(())
    }

    async fn command(&self, statement: &str) -> Result<(), ProjectionError> {
        let asked = self.clickhouse.client().query_raw(statement).execute();
        asked.await.map_err(|error| self.clickhouse.error(error))
    }
}
