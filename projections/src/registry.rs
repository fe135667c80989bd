//! Which versions of which read models there are, how far they are, and what they left out: tables `projections` and
//! `parked_events`.

use crate::error::ProjectionError;
use crate::fact::Problem;
use crate::model::ReadModel;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Executor as _, PgConnection, PgExecutor, PgPool, Row as _};
use std::collections::HashSet;
use uuid::Uuid;
use viral_store::continuity::WentBack;
use viral_store::{Checkpoint, Digest, EventStore, Position, StoreError, StoredEvent, StreamId};

/// A version of a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) version: i32,
    pub(crate) schema_version: i32,
    pub(crate) position: Position,
    /// Which event is there, and by which history; absent where a program from before that was kept moved it.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Why it does not move on.
    pub(crate) problem: Option<String>,
    /// Why it does not move on for now: it is tried again.
    pub(crate) refusal: Option<String>,
    /// Where its feed goes on.
    pub(crate) place: Option<String>,
    /// The end of the range that is being inserted, where that is not one transaction with `position`: in ClickHouse.
    pub(crate) intended: Option<Position>,
}

/// Which version of a read model a batch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one behind the views.
    Live,
    /// The one that is being built beside it.
    Building,
}

impl Target {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Target::Live => "live",
            Target::Building => "building",
        }
    }
}

const COLUMNS: &str = "SELECT version, schema_version, position, problem, refusal, feed_place, intended, event_id, \
     recorded_at, digest FROM projections WHERE name = $1 AND state = $2";

/// Looks a version up.
pub(crate) async fn find(
    executor: impl PgExecutor<'_>,
    name: &str,
    target: Target,
) -> Result<Option<Registered>, ProjectionError> {
    let row = sqlx::query(COLUMNS)
        .bind(name)
        .bind(target.as_str())
        .fetch_optional(executor)
        .await?;
    row.as_ref().map(registered).transpose()
}

/// Looks a version up and keeps everybody else from moving it, until the transaction ends.
pub(crate) async fn lock_in_tx(
    connection: &mut PgConnection,
    name: &str,
    target: Target,
) -> Result<Option<Registered>, ProjectionError> {
    let statement = format!("{COLUMNS} FOR UPDATE");
    let row = sqlx::query(&statement)
        .bind(name)
        .bind(target.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(registered).transpose()
}

/// Where the live version that is furthest is. One of which it is not known which event that is has the nil id.
pub(crate) async fn furthest(pool: &PgPool) -> Result<Option<Checkpoint>, ProjectionError> {
    let statement = "SELECT version, schema_version, position, problem, refusal, feed_place, intended, event_id, \
         recorded_at, digest FROM projections WHERE state = 'live' ORDER BY position DESC LIMIT 1";
    let row = sqlx::query(statement).fetch_optional(pool).await?;
    let found = row.as_ref().map(registered).transpose()?;
    Ok(found.map(|found| {
        found.checkpoint.unwrap_or(Checkpoint {
            position: found.position,
            digest: None,
            ..Checkpoint::START
        })
    }))
}

fn registered(row: &PgRow) -> Result<Registered, ProjectionError> {
    let position = position(row.try_get(2)?);
    let (event_id, recorded_at): (Option<Uuid>, Option<DateTime<Utc>>) = (row.try_get(7)?, row.try_get(8)?);
    let digest: Option<Vec<u8>> = row.try_get(9)?;
    let checkpoint = event_id.zip(recorded_at).map(|(event_id, recorded_at)| Checkpoint {
        position,
        event_id,
        recorded_at,
        digest: digest.as_deref().and_then(Digest::from_bytes),
    });
    Ok(Registered {
        version: row.try_get(0)?,
        schema_version: row.try_get(1)?,
        position,
        checkpoint,
        problem: row.try_get(3)?,
        refusal: row.try_get(4)?,
        place: row.try_get(5)?,
        intended: row.try_get::<Option<i64>, _>(6)?.map(self::position),
    })
}

impl Registered {
    /// Where it is. What was not kept is taken from the log.
    pub(crate) async fn checkpoint(&self, store: &dyn EventStore) -> Result<Checkpoint, StoreError> {
        match self.checkpoint {
            Some(checkpoint) => Ok(checkpoint),
            None => checkpoint_at(store, self.position).await,
        }
    }
}

/// The checkpoint of a position, as the log has it now.
pub(crate) async fn checkpoint_at(store: &dyn EventStore, position: Position) -> Result<Checkpoint, StoreError> {
    if position == Position::START {
        return Ok(Checkpoint::START);
    }
    match store.event_at(position).await? {
        Some(event) => Ok(Checkpoint::at(&event)),
        None => Err(WentBack::new(position, store.head().await?.position).into()),
    }
}

/// A position from a column that is never negative.
pub(crate) fn position(value: i64) -> Position {
    Position(value.unsigned_abs())
}

/// A position for a column; no log has more than the column can hold.
pub(crate) fn signed(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

/// A checkpoint's digest for a column.
pub(crate) fn digest_of(checkpoint: &Checkpoint) -> Option<Vec<u8>> {
    checkpoint.digest.map(|digest| digest.0.to_vec())
}

/// Makes the tables of a version and its entry, at position 0.
pub(crate) async fn create_in_tx(
    connection: &mut PgConnection,
    model: &ReadModel,
    version: i32,
    target: Target,
) -> Result<(), ProjectionError> {
    for table in model.tables {
        connection.execute(table.create(version).as_str()).await?;
    }
    sqlx::query(
        "INSERT INTO projections (name, version, schema_version, state, position, event_id, recorded_at, digest) \
         VALUES ($1, $2, $3, $4, 0, $5, $6, $7)",
    )
    .bind(model.name)
    .bind(version)
    .bind(model.schema_version)
    .bind(target.as_str())
    .bind(Checkpoint::START.event_id)
    .bind(Checkpoint::START.recorded_at)
    .bind(digest_of(&Checkpoint::START))
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes a version: its tables, its entry and what it had parked.
pub(crate) async fn remove_in_tx(
    connection: &mut PgConnection,
    model: &ReadModel,
    version: i32,
) -> Result<(), ProjectionError> {
    for table in model.tables {
        connection.execute(table.drop(version).as_str()).await?;
    }
    for statement in [
        "DELETE FROM parked_events WHERE projection = $1 AND version = $2",
        "DELETE FROM projections WHERE name = $1 AND version = $2",
    ] {
        sqlx::query(statement)
            .bind(model.name)
            .bind(version)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Notes how far a version is. Without a place the one before stays: going on from there only means reading more.
pub(crate) async fn move_in_tx(
    connection: &mut PgConnection,
    name: &str,
    version: i32,
    to: &Checkpoint,
    place: Option<&str>,
) -> Result<(), ProjectionError> {
    let statement = "UPDATE projections SET position = $3, feed_place = coalesce($4, feed_place), event_id = $5, \
         recorded_at = $6, digest = $7, updated_at = now() WHERE name = $1 AND version = $2";
    sqlx::query(statement)
        .bind(name)
        .bind(version)
        .bind(signed(to.position))
        .bind(place)
        .bind(to.event_id)
        .bind(to.recorded_at)
        .bind(digest_of(to))
        .execute(connection)
        .await?;
    Ok(())
}

/// Stops the live version where it is, unless it moved on meanwhile.
pub(crate) async fn halt(
    executor: impl PgExecutor<'_>,
    name: &str,
    at: Position,
    problem: &str,
) -> Result<(), ProjectionError> {
    let statement = "UPDATE projections SET problem = $3, halted_at = now(), updated_at = now() \
         WHERE name = $1 AND state = 'live' AND position = $2 AND problem IS NULL";
    sqlx::query(statement)
        .bind(name)
        .bind(signed(at))
        .bind(problem)
        .execute(executor)
        .await?;
    Ok(())
}

/// Lets the live version move on. Answers whether it was stopped.
pub(crate) async fn unhalt_in_tx(connection: &mut PgConnection, name: &str) -> Result<bool, ProjectionError> {
    let statement = "UPDATE projections SET problem = NULL, halted_at = NULL, updated_at = now() \
         WHERE name = $1 AND state = 'live' AND problem IS NOT NULL";
    Ok(sqlx::query(statement)
        .bind(name)
        .execute(connection)
        .await?
        .rows_affected()
        > 0)
}

/// An event that is left out.
#[derive(Debug, Clone)]
pub(crate) struct Parked<'a> {
    pub(crate) event: &'a StoredEvent,
    /// None if only an earlier event of its aggregate is bad.
    pub(crate) problem: Option<Problem>,
}

/// Which of these aggregates have parked events.
pub(crate) async fn parked_streams_in_tx(
    connection: &mut PgConnection,
    name: &str,
    version: i32,
    streams: &[&StreamId],
) -> Result<HashSet<StreamId>, ProjectionError> {
    let (types, ids): (Vec<&str>, Vec<&str>) = streams.iter().map(|s| (&*s.aggregate_type, &*s.aggregate_id)).unzip();
    let statement = "SELECT DISTINCT aggregate_type, aggregate_id FROM parked_events \
         JOIN unnest($3::text[], $4::text[]) AS asked (aggregate_type, aggregate_id) USING (aggregate_type, aggregate_id) \
         WHERE projection = $1 AND version = $2";
    let query = sqlx::query(statement).bind(name).bind(version).bind(types).bind(ids);
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(StreamId::new(
                row.try_get::<String, _>(0)?,
                row.try_get::<String, _>(1)?,
            ))
        })
        .collect()
}

/// Leaves events out.
pub(crate) async fn park_in_tx(
    connection: &mut PgConnection,
    name: &str,
    version: i32,
    parked: &[Parked<'_>],
) -> Result<(), ProjectionError> {
    let statement = "INSERT INTO parked_events \
         (projection, version, position, aggregate_type, aggregate_id, event_type, problem) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    for Parked { event, problem } in parked {
        sqlx::query(statement)
            .bind(name)
            .bind(version)
            .bind(signed(event.position))
            .bind(&*event.stream.aggregate_type)
            .bind(&*event.stream.aggregate_id)
            .bind(&*event.event_type)
            .bind(problem.as_ref().map(|problem| problem.0.replace('\0', "\u{fffd}")))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
