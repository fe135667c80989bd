//! The locked head: one transaction from `SELECT … FOR UPDATE` to `COMMIT`.

use super::copy;
use super::error::from_sqlx;
use super::read;
use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId, time_text};
use crate::port::{Check, Existing, Head, LockedHead};
use async_trait::async_trait;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection, Row};
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

/// The channel on which the new head is announced.
pub(super) const CHANNEL: &str = "viral_events";

/// SQLSTATE of a lock timeout.
const LOCK_NOT_AVAILABLE: &str = "55P03";

type Slot = OwnedMutexGuard<Option<PgConnection>>;

/// A connection inside the transaction that holds the head. If it is dropped, so is the connection: the server rolls
/// back when it sees the socket closed.
pub(super) struct Locked {
    /// Where the connection is put back once it is outside of the transaction.
    slot: Slot,
    connection: PgConnection,
    head: Head,
}

impl Locked {
    pub(super) async fn lock(
        writer: Arc<Mutex<Option<PgConnection>>>,
        options: &PgConnectOptions,
        session: &str,
    ) -> Result<Locked, StoreError> {
        let mut slot = writer.lock_owned().await;
        // The connection that is there may have died since: then a new one is made, once. A lock that others hold is
        // no reason to reconnect.
        if let Some(connection) = slot.take() {
            match begin(connection).await {
                Ok((connection, head)) => return Ok(Locked { slot, connection, head }),
                Err((error, true)) => return Err(error),
                Err((error, false)) => tracing::debug!(%error, "the append connection is gone, reconnecting"),
            }
        }
        let mut connection = options.connect().await.map_err(from_sqlx)?;
        connection.execute(session).await.map_err(from_sqlx)?;
        let (connection, head) = begin(connection).await.map_err(|(error, _)| error)?;
        Ok(Locked { slot, connection, head })
    }
}

/// Begins the transaction and locks the head. With an error comes whether it was a lock that others did not give up.
async fn begin(mut connection: PgConnection) -> Result<(PgConnection, Head), (StoreError, bool)> {
    // READ COMMITTED: each later statement sees all that was committed before it, so also what the lock waited for.
    let statements = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT position, recorded_at FROM log_head FOR UPDATE";
    match connection.fetch_one(statements).await {
        Ok(row) => {
            let head = read::head_from(&row).map_err(|error| (error, false))?;
            Ok((connection, head))
        }
        Err(error) => {
            let state = error
                .as_database_error()
                .and_then(|database| database.code())
                .unwrap_or_default();
            let locked = state == LOCK_NOT_AVAILABLE;
            Err((from_sqlx(error), locked))
        }
    }
}

#[async_trait]
impl LockedHead for Locked {
    fn head(&self) -> Head {
        self.head
    }

    async fn read_after(&mut self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        read::after(&mut self.connection, after, limit).await
    }

    async fn check(&mut self, ids: &[Uuid], streams: &[StreamId]) -> Result<Check, StoreError> {
        let mut check = Check::default();
        if !ids.is_empty() {
            let query = sqlx::query("SELECT event_id, position, metadata::text FROM events WHERE event_id = ANY($1)");
            for row in query
                .bind(ids)
                .fetch_all(&mut self.connection)
                .await
                .map_err(from_sqlx)?
            {
                check.existing.push(Existing {
                    event_id: row.try_get(0).map_err(from_sqlx)?,
                    position: Position(read::unsigned(row.try_get(1).map_err(from_sqlx)?)?),
                    metadata: row.try_get(2).map_err(from_sqlx)?,
                });
            }
        }
        if !streams.is_empty() {
            let types: Vec<&str> = streams.iter().map(|s| s.aggregate_type.as_ref()).collect();
            let ids: Vec<&str> = streams.iter().map(|s| s.aggregate_id.as_ref()).collect();
            let query = sqlx::query(
                "SELECT coalesce((SELECT sequence FROM events e WHERE e.aggregate_type = s.aggregate_type \
                 AND e.aggregate_id = s.aggregate_id ORDER BY sequence DESC LIMIT 1), 0) \
                 FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS s (aggregate_type, aggregate_id, place) \
                 ORDER BY place",
            );
            for row in query
                .bind(types)
                .bind(ids)
                .fetch_all(&mut self.connection)
                .await
                .map_err(from_sqlx)?
            {
                check
                    .sequences
                    .push(read::unsigned(row.try_get(0).map_err(from_sqlx)?)?);
            }
        }
        Ok(check)
    }

    async fn append(self: Box<Self>, events: &[StoredEvent]) -> Result<(), StoreError> {
        let Locked {
            mut slot,
            mut connection,
            head,
        } = *self;
        let Some(last) = events.last() else {
            return Err(StoreError::Corrupt("an append without events".to_owned()));
        };
        if events[0].position != head.position.next() {
            return Err(StoreError::Corrupt(format!(
                "position {} would be skipped",
                head.position.next()
            )));
        }
        let data = copy::encode(events)?;
        let mut copy = connection.copy_in_raw(copy::STATEMENT).await.map_err(from_sqlx)?;
        copy.send(data).await.map_err(from_sqlx)?;
        copy.finish().await.map_err(from_sqlx)?;
        let (position, time) = (last.position, time_text(&last.recorded_at));
        let commit = format!(
            "UPDATE log_head SET position = {position}, recorded_at = '{time}'; \
             NOTIFY {CHANNEL}, '{position}'; COMMIT"
        );
        connection.execute(commit.as_str()).await.map_err(from_sqlx)?;
        *slot = Some(connection);
        Ok(())
    }

    async fn release(self: Box<Self>) -> Result<(), StoreError> {
        let Locked {
            mut slot,
            mut connection,
            ..
        } = *self;
        connection.execute("ROLLBACK").await.map_err(from_sqlx)?;
        *slot = Some(connection);
        Ok(())
    }
}
