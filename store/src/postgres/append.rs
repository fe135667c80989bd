//! The locked head: one transaction from `SELECT … FOR UPDATE` to `COMMIT`.

use super::copy;
use super::error::{from_content, from_sqlx};
use super::read;
use super::target::Target;
use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId, time_text};
use crate::port::{Check, Existing, Head, LockedHead};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Executor, PgConnection, Row};
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
    now: DateTime<Utc>,
}

/// What the transaction that holds the head begins with.
type Begun = (PgConnection, Head, DateTime<Utc>);

impl Locked {
    pub(super) async fn lock(
        writer: Arc<Mutex<Option<PgConnection>>>,
        target: &Target,
        session: &str,
    ) -> Result<Locked, StoreError> {
        let mut slot = writer.lock_owned().await;
        // The connection that is there may have died since: then a new one is made, once. A lock that others hold is
        // no reason to reconnect.
        if let Some(connection) = slot.take() {
            match begin(connection).await {
                Ok(begun) => return Ok(Locked::new(slot, begun)),
                Err((error, true)) => return Err(error),
                Err((error, false)) => tracing::debug!(%error, "the append connection is gone, reconnecting"),
            }
        }
        let mut connection = target.connect().await?;
        connection.execute(session).await.map_err(from_sqlx)?;
        let begun = begin(connection).await.map_err(|(error, _)| error)?;
        Ok(Locked::new(slot, begun))
    }

    fn new(slot: Slot, (connection, head, now): Begun) -> Locked {
        Locked {
            slot,
            connection,
            head,
            now,
        }
    }
}

/// Begins the transaction, locks the head, and asks for the time, which is later than the lock: a statement of its own,
/// because the one that locks may wait. With an error comes whether it was a lock that others did not give up.
async fn begin(mut connection: PgConnection) -> Result<Begun, (StoreError, bool)> {
    // READ COMMITTED: each later statement sees all that was committed before it, so also what the lock waited for.
    let statements = "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SELECT position, recorded_at, digest FROM log_head FOR UPDATE; SELECT clock_timestamp()";
    let rows = match connection.fetch_all(statements).await {
        Ok(rows) => rows,
        Err(error) => {
            let state = error
                .as_database_error()
                .and_then(|database| database.code())
                .unwrap_or_default();
            let locked = state == LOCK_NOT_AVAILABLE;
            return Err((from_sqlx(error), locked));
        }
    };
    let begun = match rows.as_slice() {
        [head, time] => read::head_from(head).and_then(|head| Ok((head, time.try_get(0).map_err(from_sqlx)?))),
        _ => Err(from_sqlx(sqlx::Error::RowNotFound)),
    };
    let (head, now) = begun.map_err(|error| (error, false))?;
    Ok((connection, head, now))
}

async fn copy_in(connection: &mut PgConnection, data: Vec<u8>) -> Result<(), sqlx::Error> {
    let mut copy = connection.copy_in_raw(copy::STATEMENT).await?;
    copy.send(data).await?;
    copy.finish().await?;
    Ok(())
}

#[async_trait]
impl LockedHead for Locked {
    fn head(&self) -> Head {
        self.head
    }

    fn now(&self) -> Option<DateTime<Utc>> {
        Some(self.now)
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
                .map_err(from_content)?
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
                .map_err(from_content)?
            {
                check
                    .sequences
                    .push(read::unsigned(row.try_get(0).map_err(from_sqlx)?)?);
            }
        }
        Ok(check)
    }

    async fn append(self: Box<Self>, events: &[StoredEvent]) -> Result<Head, StoreError> {
        let Locked {
            mut slot,
            mut connection,
            head,
            ..
        } = *self;
        let Some(first) = events.first() else {
            return Err(StoreError::Corrupt("an append without events".to_owned()));
        };
        if first.position != head.position.next() {
            return Err(StoreError::Corrupt(format!(
                "position {} would be skipped",
                head.position.next()
            )));
        }
        if let Err(error) = copy_in(&mut connection, copy::encode(events)?).await {
            let error = from_content(error);
            if matches!(error, StoreError::Refused(_)) {
                // The session is sound: the next of the smaller batches that follow is written on it.
                connection.execute("ROLLBACK").await.map_err(from_sqlx)?;
                *slot = Some(connection);
            }
            return Err(error);
        }
        let head = head.after(events);
        let (position, time, digest) = (head.position, time_text(&head.recorded_at), head.digest);
        let commit = format!(
            "UPDATE log_head SET position = {position}, recorded_at = '{time}', digest = '\\x{digest}'; \
             NOTIFY {CHANNEL}, '{position}'; COMMIT"
        );
        connection.execute(commit.as_str()).await.map_err(from_sqlx)?;
        *slot = Some(connection);
        Ok(head)
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
