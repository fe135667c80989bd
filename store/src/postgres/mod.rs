//! The log in PostgreSQL, its default home: table `events`, appended under the lock of the one row of `log_head`.

mod adopt;
mod append;
pub mod copy;
mod digests;
mod elsewhere;
mod environment;
mod error;
mod lease;
mod listener;
mod migrate;
mod person_keys;
mod read;
mod set_up;
mod target;

pub use adopt::adopt;
pub use digests::Progress;
pub use environment::Environment;
pub use lease::{Lease, Leases};
pub use migrate::{migrate, migrate_with};
pub use set_up::{check, encoding_problem};
pub use target::Target;

use crate::continuity::{Continuity, Digest};
use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId};
use crate::port::{EventStore, Head, LockedHead, Selection, Snapshot};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use error::from_sqlx;
use listener::Listener;
use sqlx::{Connection, Executor, PgConnection, PgPool, Row};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use uuid::Uuid;

/// An event log in PostgreSQL.
pub struct PostgresStore {
    source: String,
    target: Target,
    pool: PgPool,
    /// The connection that appends; absent while it is in use or after it broke.
    writer: Arc<Mutex<Option<PgConnection>>>,
    listener: Listener,
    continuity: Arc<Continuity>,
}

/// Session settings of every connection, whatever the server's defaults are: a commit is acknowledged when it is on the
/// disk, every statement sees what was committed before it, and a stuck process does not keep the head from the others.
/// Nothing is compiled (`jit`): that takes some 20 ms a statement, ours take less.
const SESSION: &str = "SET ROLE viral_app; SET synchronous_commit = on; \
     SET default_transaction_isolation = 'read committed'; SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '10s'; SET timezone = 'UTC'; SET jit = off";

/// What the connection that appends has besides. It only looks up ids and streams, which is what the indexes are for.
/// The planner would read the whole table for them as long as it believes that to be small: it keeps a plan from the
/// log's first minute until somebody analyses the table. A scan counts as so dear then, up to PostgreSQL 17, that
/// a server with `jit` would compile even the one of the head, which has one row.
const LOOK_UPS: &str = "; SET enable_seqscan = off";

/// How many connections a process that serves has beside the one that appends, unless it shares them out.
const CONNECTIONS: u32 = 8;
/// As many as a command may need that ends by itself; nearly all of the time it uses one.
const FEW: u32 = 3;

impl PostgresStore {
    /// Connects to a migrated database and takes on the role `viral_app`.
    pub async fn connect(url: &str) -> Result<PostgresStore, StoreError> {
        PostgresStore::open(url, CONNECTIONS).await
    }

    /// As [`PostgresStore::connect`], for a command that ends by itself: it takes few of the server's connections, beside
    /// processes that serve.
    pub async fn connect_briefly(url: &str) -> Result<PostgresStore, StoreError> {
        PostgresStore::open(url, FEW).await
    }

    async fn open(url: &str, connections: u32) -> Result<PostgresStore, StoreError> {
        let target = Target::parse(url)?;
        // A pool tries again and again where a role is missing or may not be taken on, or the server has no connection left:
        // one connection says so at once.
        let mut first = target.connect().await?;
        first.execute(SESSION).await.map_err(from_sqlx)?;
        // It has done its duty; the server notices that it is gone.
        let _ = first.close().await;
        let pool = target.pool(SESSION, connections);
        let row = match sqlx::query("SELECT log_id FROM log_head").fetch_one(&pool).await {
            Ok(row) => row,
            Err(error @ sqlx::Error::PoolTimedOut) => return Err(target.why(error).await),
            Err(error) => return Err(from_sqlx(error)),
        };
        let log_id: Uuid = row.try_get(0).map_err(from_sqlx)?;
        Ok(PostgresStore {
            source: format!("urn:viral:log:{log_id}"),
            listener: Listener::new(pool.clone()),
            target,
            pool,
            writer: Arc::default(),
            continuity: Arc::default(),
        })
    }

    /// The same log by way of a pool of its own, with so many connections at most and under this name: what one of two
    /// kinds of work takes, the other cannot miss.
    #[must_use]
    pub fn apart(&self, name: &str, connections: u32) -> PostgresStore {
        let pool = self.target.clone().named(name).pool(SESSION, connections);
        PostgresStore {
            source: self.source.clone(),
            target: self.target.clone(),
            listener: Listener::new(pool.clone()),
            pool,
            writer: self.writer.clone(),
            continuity: self.continuity.clone(),
        }
    }

    /// The pool, for other tables of the same database.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Leases for what only one process at a time may do.
    pub fn leases(&self) -> Leases {
        Leases::new(self.target.clone())
    }

    /// Closes all connections; what is under way ends first.
    pub async fn close(&self) {
        if let Some(connection) = self.writer.lock().await.take() {
            // It ends in any case; the server only learns of it sooner.
            let _ = connection.close().await;
        }
        self.pool.close().await;
    }
}

impl fmt::Debug for PostgresStore {
    /// Without the connection's options: passwords must not reach a log by way of `{:?}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl EventStore for PostgresStore {
    fn source(&self) -> &str {
        &self.source
    }

    fn continuity(&self) -> &Continuity {
        &self.continuity
    }

    async fn clock(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let asked = sqlx::query_scalar("SELECT clock_timestamp()")
            .fetch_one(&self.pool)
            .await;
        asked.map(Some).map_err(from_sqlx)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        read::head(&self.pool).await
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        read::after(&self.pool, after, limit).await
    }

    async fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        read::stream(&self.pool, stream, after, limit).await
    }

    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        read::find(&self.pool, event_id).await
    }

    async fn select(
        &self,
        selection: &Selection,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        read::selection(&self.pool, selection, after, up_to, limit).await
    }

    async fn lock(&self) -> Result<Box<dyn LockedHead>, StoreError> {
        let locked = append::Locked::lock(self.writer.clone(), &self.target, &[SESSION, LOOK_UPS].concat()).await?;
        Ok(Box::new(locked))
    }

    async fn wait_for(&self, after: Position, timeout: Duration) -> Result<Head, StoreError> {
        let deadline = tokio::time::Instant::now() + timeout;
        // Before the head is asked: what moves after that wakes.
        let mut sleeper = self.listener.subscribe();
        loop {
            let head = self.head().await?;
            if head.position > after || tokio::time::Instant::now() >= deadline {
                return Ok(head);
            }
            sleeper.wake(deadline).await;
        }
    }

    async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        // All of them are kept: balances of the past are computed from the nearest one.
        let mut transaction = self.pool.begin().await.map_err(from_sqlx)?;
        sqlx::query("DELETE FROM book_snapshots WHERE position = $1")
            .bind(read::signed(snapshot.position.0)?)
            .execute(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
        sqlx::query("INSERT INTO book_snapshots (position, state, digest) VALUES ($1, $2, $3)")
            .bind(read::signed(snapshot.position.0)?)
            .bind(&snapshot.state)
            .bind(snapshot.digest.map(|digest| digest.0.to_vec()))
            .execute(&mut *transaction)
            .await
            .map_err(from_sqlx)?;
        transaction.commit().await.map_err(from_sqlx)
    }

    async fn snapshot_at(&self, at_most: Position) -> Result<Option<Snapshot>, StoreError> {
        let row = sqlx::query(
            "SELECT position, state, digest FROM book_snapshots WHERE position <= $1 ORDER BY position DESC LIMIT 1",
        )
        .bind(i64::try_from(at_most.0).unwrap_or(i64::MAX))
        .fetch_optional(&self.pool)
        .await
        .map_err(from_sqlx)?;
        row.map(|row| {
            Ok(Snapshot {
                position: Position(read::unsigned(row.try_get(0).map_err(from_sqlx)?)?),
                state: row.try_get(1).map_err(from_sqlx)?,
                digest: row
                    .try_get::<Option<&[u8]>, _>(2)
                    .map_err(from_sqlx)?
                    .and_then(Digest::from_bytes),
            })
        })
        .transpose()
    }
}
