//! Reading events. Every read is one short statement; long ones are paged by position by the caller.

use super::error::from_sqlx;
use crate::continuity::Digest;
use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId};
use crate::port::{Head, Selection};
use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgExecutor, Postgres, Row};
use std::borrow::Cow;
use uuid::Uuid;

/// The columns of an event in the order that [`event`] reads them. Casting `json` to text keeps the stored bytes.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version, ",
            "payload::text, metadata::text, recorded_at FROM events ",
            $rest
        )
    };
}

pub(super) async fn head(executor: impl PgExecutor<'_>) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT position, recorded_at, digest FROM log_head")
        .fetch_one(executor)
        .await;
    head_from(&row.map_err(from_sqlx)?)
}

pub(super) fn head_from(row: &PgRow) -> Result<Head, StoreError> {
    Ok(Head {
        position: Position(unsigned(row.try_get(0).map_err(from_sqlx)?)?),
        recorded_at: row.try_get(1).map_err(from_sqlx)?,
        digest: digest(row.try_get(2).map_err(from_sqlx)?)?,
    })
}

/// A digest that a column has. One that is not computed yet is absent.
pub(super) fn digest(bytes: Option<Vec<u8>>) -> Result<Digest, StoreError> {
    let bytes = bytes.ok_or_else(|| StoreError::Setup("the log has no digest yet: run `viral migrate`".to_owned()))?;
    Digest::from_bytes(&bytes).ok_or_else(|| StoreError::Corrupt(format!("a digest of {} bytes", bytes.len())))
}

pub(super) async fn after(
    executor: impl PgExecutor<'_>,
    after: Position,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let query = sqlx::query(select!("WHERE position > $1 ORDER BY position LIMIT $2"));
    all(executor, query.bind(signed(after.0)?).bind(limit_of(limit))).await
}

pub(super) async fn stream(
    executor: impl PgExecutor<'_>,
    stream: &StreamId,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let query = sqlx::query(select!(
        "WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence > $3 ORDER BY sequence LIMIT $4"
    ))
    .bind(stream.aggregate_type.as_ref())
    .bind(stream.aggregate_id.as_ref());
    all(executor, query.bind(signed(after)?).bind(limit_of(limit))).await
}

pub(super) async fn selection(
    executor: impl PgExecutor<'_>,
    selection: &Selection,
    after: Position,
    up_to: Position,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let types: Vec<&str> = selection.streams.iter().map(|s| s.aggregate_type.as_ref()).collect();
    let ids: Vec<&str> = selection.streams.iter().map(|s| s.aggregate_id.as_ref()).collect();
    // A position that no column could hold is not in the log either.
    let named = selection.positions.iter();
    let positions: Vec<i64> = named.filter_map(|position| i64::try_from(position.0).ok()).collect();
    let query = sqlx::query(select!(
        "WHERE position IN (
            SELECT e.position FROM unnest($1::text[], $2::text[]) AS s (aggregate_type, aggregate_id)
                JOIN events e ON e.aggregate_type = s.aggregate_type AND e.aggregate_id = s.aggregate_id
            UNION ALL SELECT e.position FROM unnest($3::uuid[]) AS i (id) JOIN events e ON e.event_id = i.id
            UNION ALL SELECT unnest($4::bigint[])
        ) AND position > $5 AND position <= $6 ORDER BY position LIMIT $7"
    ))
    .bind(types)
    .bind(ids)
    .bind(&selection.ids)
    .bind(positions)
    .bind(i64::try_from(after.0).unwrap_or(i64::MAX))
    .bind(i64::try_from(up_to.0).unwrap_or(i64::MAX));
    all(executor, query.bind(limit_of(limit))).await
}

pub(super) async fn find(executor: impl PgExecutor<'_>, id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
    let found = all(executor, sqlx::query(select!("WHERE event_id = $1")).bind(id)).await?;
    Ok(found.into_iter().next())
}

async fn all(
    executor: impl PgExecutor<'_>,
    query: Query<'_, Postgres, PgArguments>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = query.fetch_all(executor).await.map_err(from_sqlx)?;
    rows.iter().map(event).collect()
}

fn event(row: &PgRow) -> Result<StoredEvent, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index).map_err(from_sqlx);
    let number = |index: usize| unsigned(row.try_get(index).map_err(from_sqlx)?);
    Ok(StoredEvent {
        position: Position(number(0)?),
        event_id: row.try_get(1).map_err(from_sqlx)?,
        stream: StreamId::new(text(2)?, text(3)?),
        sequence: number(4)?,
        event_type: Cow::Owned(text(5)?),
        event_version: Cow::Owned(text(6)?),
        payload: text(7)?,
        metadata: text(8)?,
        recorded_at: row.try_get::<DateTime<Utc>, _>(9).map_err(from_sqlx)?,
    })
}

/// A position or sequence for a `bigint` column.
pub(super) fn signed(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Corrupt(format!("{value} is beyond the end of any log")))
}

/// A `bigint` that counts something.
pub(super) fn unsigned(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt(format!("{value} is negative where a count should be")))
}

fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
