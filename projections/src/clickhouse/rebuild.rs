//! Filling ClickHouse anew beside what is there, which goes on meanwhile; at the end the tables are exchanged. What a
//! rebuild that ended half-way left behind is removed by the next one.
//!
//! ClickHouse cannot exchange several tables and move the watermark in one step. So the projector is stopped for that time
//! by a problem that is this rebuild's own: who finds it later knows that the exchange was not finished.

use super::NAME;
use super::gather::gather_page;
use super::projector::ClickHouseProjector;
use super::rows::Watermark;
use crate::error::ProjectionError;
use crate::rebuild_lock::RebuildLock;
use crate::registry;
use sqlx::Row as _;
use uuid::Uuid;
use viral_store::feed::StoreFeed;
use viral_store::{Checkpoint, Position};

/// The tables that are filled from the log.
const TABLES: [&str; 2] = ["event_rows", "ledger_entry_rows"];
/// How many events may be left for the time in which the projector is stopped.
const CLOSE: u64 = 1_000;
/// What only the problem of a rebuild says.
const EXCHANGES: &str = "exchanges the tables";

/// A rebuild: the names of its tables, and how far they are filled.
struct Rebuild {
    id: String,
    filled: Option<Watermark>,
    at: Checkpoint,
}

impl Rebuild {
    fn new() -> Rebuild {
        Rebuild {
            id: Uuid::now_v7().simple().to_string(),
            filled: None,
            at: Checkpoint::START,
        }
    }

    /// The table that is filled beside another. No two rebuilds have the same, even if one lost its lock.
    fn beside(&self, table: &str) -> String {
        format!("{table}_rebuilt_{}", self.id)
    }

    /// Why nobody inserts while the tables are exchanged.
    fn problem(&self) -> String {
        format!(
            "rebuild {} {EXCHANGES}: if no rebuild runs any more, it ended half-way, so run \
             `viral projections rebuild {NAME}` again",
            self.id
        )
    }

    fn at(&self) -> Position {
        self.at.position
    }
}

/// Where the projector was when it was stopped.
struct Stopped {
    /// What it had inserted, or may have begun to insert.
    needed: Position,
    /// Why it had stopped before.
    problem: Option<String>,
}

impl ClickHouseProjector {
    /// Fills all tables anew and puts them in the place of the old ones. `progress` is told the position reached and the
    /// end of the log.
    ///
    /// # Errors
    /// [`ProjectionError::RebuildInProgress`] if another process is at it; [`ProjectionError::Halted`] at an event of the
    /// ledger that cannot be read. What analysts see is as before then. After an error while tables were exchanged the
    /// projector stays stopped, and says that a rebuild has to be run again.
    pub async fn rebuild(&self, progress: &mut (dyn FnMut(Position, Position) + Send)) -> Result<(), ProjectionError> {
        let lock = RebuildLock::take(&self.pool, NAME).await?;
        let rebuilt = self.rebuild_locked(progress).await;
        lock.release().await;
        rebuilt
    }

    async fn rebuild_locked(
        &self,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<(), ProjectionError> {
        self.clickhouse.migrate().await?;
        self.check_source().await?;
        self.register().await?;
        self.remove_left().await?;
        let mut rebuild = Rebuild::new();
        let rebuilt = self.fill_and_exchange(&mut rebuild, progress).await;
        let removed = self.remove(TABLES.map(|table| rebuild.beside(table))).await;
        // What cannot be removed now is by the next rebuild.
        rebuilt.and(removed)
    }

    async fn fill_and_exchange(
        &self,
        rebuild: &mut Rebuild,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<(), ProjectionError> {
        for table in TABLES {
            self.command(&format!("CREATE TABLE {} AS {table}", rebuild.beside(table)))
                .await?;
        }
        // Whoever waited until nothing is left would never be done while others write.
        loop {
            let head = self.store.head().await?.position;
            self.fill_up_to(head, rebuild, progress).await?;
            if self.store.head().await?.position.0 <= head.0 + CLOSE {
                break;
            }
        }
        let stopped = self.stop(rebuild).await?;
        let needed = async {
            // What was noted may be beyond a log that was restored.
            let needed = stopped.needed.min(self.store.head().await?.position);
            self.fill_up_to(needed, rebuild, progress).await
        };
        if let Err(error) = needed.await {
            // If that fails, too, it stays stopped and tells why.
            let _ = self.go_on_as_before(rebuild, &stopped).await;
            return Err(error);
        }
        for table in TABLES {
            self.check_stopped(rebuild).await?;
            self.command(&format!("EXCHANGE TABLES {} AND {table}", rebuild.beside(table)))
                .await?;
        }
        self.set_watermark(rebuild).await?;
        self.go_on(rebuild).await
    }

    /// Inserts events into the tables beside, up to a position.
    async fn fill_up_to(
        &self,
        end: Position,
        rebuild: &mut Rebuild,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<(), ProjectionError> {
        while rebuild.at() < end {
            let (mut feed, after) = (StoreFeed::new(self.store.clone()), rebuild.at());
            let events = gather_page(&mut feed, &rebuild.at, end).await?;
            let Some(last) = events.last() else {
                let text = format!("the log gave nothing behind position {after}, though it ends at {end}");
                return Err(ProjectionError::Unavailable(text));
            };
            self.insert_rows(after, &events, &|table| rebuild.beside(table)).await?;
            rebuild.filled = Some(Watermark::new(self.store.source(), last));
            rebuild.at = rebuild.at.after_all(&events);
            progress(rebuild.at(), end);
        }
        Ok(())
    }

    /// From here on nobody notes another range. One that was noted before may be half-way in.
    async fn stop(&self, rebuild: &Rebuild) -> Result<Stopped, ProjectionError> {
        let statement = "UPDATE projections SET problem = $2, halted_at = now(), updated_at = now() \
             FROM (SELECT problem FROM projections WHERE name = $1 AND state = 'live' FOR UPDATE) AS before \
             WHERE name = $1 AND state = 'live' \
             RETURNING greatest(position, coalesce(intended, 0)), before.problem";
        let query = sqlx::query(statement).bind(NAME).bind(rebuild.problem());
        let row = query.fetch_one(&self.pool).await?;
        Ok(Stopped {
            needed: registry::position(row.try_get(0)?),
            problem: row.try_get(1)?,
        })
    }

    /// Nothing was exchanged.
    async fn go_on_as_before(&self, rebuild: &Rebuild, stopped: &Stopped) -> Result<(), ProjectionError> {
        let statement = "UPDATE projections SET problem = $3, updated_at = now(), \
             halted_at = CASE WHEN $3 IS NULL THEN NULL ELSE now() END WHERE name = $1 AND problem = $2";
        let query = sqlx::query(statement)
            .bind(NAME)
            .bind(rebuild.problem())
            .bind(&stopped.problem);
        query.execute(&self.pool).await?;
        Ok(())
    }

    /// Sees that the projector is still stopped, and by this rebuild.
    async fn check_stopped(&self, rebuild: &Rebuild) -> Result<(), ProjectionError> {
        match self.noted().await?.problem {
            Some(problem) if problem == rebuild.problem() => Ok(()),
            _ => Err(not_stopped()),
        }
    }

    /// The views end where the tables are filled, be that further than before, or less far: after the log was restored to an
    /// earlier moment.
    async fn set_watermark(&self, rebuild: &Rebuild) -> Result<(), ProjectionError> {
        let has = self.check_source().await?;
        if has > rebuild.at() {
            self.command("TRUNCATE TABLE watermark_rows").await?;
        }
        match &rebuild.filled {
            Some(watermark) if has != rebuild.at() => {
                // Nobody has used this token: what was inserted under the range's own may be gone.
                let token = format!("rebuilt {}", rebuild.id);
                self.clickhouse
                    .insert("watermark_rows", &token, std::slice::from_ref(watermark))
                    .await
            }
            _ => Ok(()),
        }
    }

    /// The projector goes on behind what is filled. What stopped it before is tried again.
    async fn go_on(&self, rebuild: &Rebuild) -> Result<(), ProjectionError> {
        let statement = "UPDATE projections SET position = $3, intended = NULL, problem = NULL, halted_at = NULL, \
             refusal = NULL, feed_place = CASE WHEN position <= $3 THEN feed_place END, event_id = $4, recorded_at = $5, \
             digest = $6, updated_at = now() WHERE name = $1 AND problem = $2";
        let query = sqlx::query(statement).bind(NAME).bind(rebuild.problem());
        let query = query.bind(registry::signed(rebuild.at())).bind(rebuild.at.event_id);
        let query = query
            .bind(rebuild.at.recorded_at)
            .bind(registry::digest_of(&rebuild.at));
        let done = query.execute(&self.pool).await?;
        match done.rows_affected() {
            0 => Err(not_stopped()),
            _ => Ok(()),
        }
    }

    /// Removes what rebuilds that ended half-way left behind.
    async fn remove_left(&self) -> Result<(), ProjectionError> {
        let statement =
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%\\_rebuilt\\_%'";
        let asked = self.clickhouse.client().query_raw(statement).fetch_all::<String>();
        let left = self.clickhouse.within(asked).await?;
        self.remove(left).await
    }

    async fn remove(&self, tables: impl IntoIterator<Item = String>) -> Result<(), ProjectionError> {
        for table in tables {
            self.command(&format!("DROP TABLE IF EXISTS {table} SYNC")).await?;
        }
        Ok(())
    }

    async fn command(&self, statement: &str) -> Result<(), ProjectionError> {
        let asked = self.clickhouse.client().query_raw(statement).execute();
        self.clickhouse.at_length(asked).await
    }
}

/// Whether the projector is stopped because tables are exchanged, or were half-way.
pub(super) fn is_exchange(problem: &str) -> bool {
    problem.starts_with("rebuild ") && problem.contains(EXCHANGES)
}

fn not_stopped() -> ProjectionError {
    ProjectionError::ClickHouse(format!(
        "the projector of ClickHouse was resumed, or another rebuild began, while tables were exchanged: run \
         `viral projections rebuild {NAME}` again"
    ))
}
