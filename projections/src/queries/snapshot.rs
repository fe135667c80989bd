//! One state of the database, for all the parts of an answer.
//!
//! A rebuild replaces a view and its table in one transaction, but names are looked up when they are used, not as of
//! the snapshot. So the views are locked before the snapshot is taken: whoever replaces them waits until the answer is
//! complete, and a reader that waited for a replacement sees all of it.

use super::{At, QueryError};
use crate::model::ReadModel;
use crate::table::Table;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;
use sqlx::{Executor as _, PgPool, Postgres, Row as _, Transaction};
use viral_store::Position;

/// A query whose rows are JSON objects.
pub(super) type Select<'q> = QueryScalar<'q, Postgres, String, PgArguments>;

/// Makes rows into JSON objects. The session's time zone is UTC, so times come out as RFC 3339; amounts must be cast to
/// text, or they would pass through floating point.
macro_rules! select {
    ($($sql:tt)+) => {
        sqlx::query_scalar::<sqlx::Postgres, String>(concat!("SELECT row_to_json(r)::text FROM (", $($sql)+, ") r"))
    };
}
pub(super) use select;

pub(super) struct Snapshot {
    transaction: Transaction<'static, Postgres>,
    /// The checkpoints, in the order in which the read models were named.
    positions: Vec<Position>,
}

impl Snapshot {
    /// Sees the present state of these read models.
    pub(super) async fn begin(pool: &PgPool, models: &[&ReadModel]) -> Result<Snapshot, QueryError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut transaction = pool.begin_with(BEGIN).await?;
        let rows = transaction.fetch_all(sqlx::raw_sql(&lock_and_look(models))).await?;
        let mut positions = Vec::with_capacity(models.len());
        for row in rows {
            let position = u64::try_from(row.try_get::<i64, _>(0)?);
            positions.push(Position(
                position.map_err(|_| damaged("projections", "a position is negative"))?,
            ));
        }
        if positions.len() != models.len() {
            return Err(QueryError::not_set_up("there is no checkpoint"));
        }
        Ok(Snapshot { transaction, positions })
    }

    /// Answers as of the first read model: what comes from the others may be older, and is not what the answer is about.
    pub(super) fn at_the_first(mut self) -> Snapshot {
        self.positions.truncate(1);
        self
    }

    /// What all the read models contain: the one position of an answer, in its header and wherever its body says it.
    pub(super) fn position(&self) -> Position {
        self.positions.iter().copied().min().unwrap_or_default()
    }

    /// All rows of a query.
    pub(super) async fn rows<T: DeserializeOwned>(&mut self, query: Select<'_>) -> Result<Vec<T>, QueryError> {
        let rows = query.fetch_all(&mut *self.transaction).await?;
        rows.iter().map(|json| read(json)).collect()
    }

    /// The one row of a query, if there is one.
    pub(super) async fn row<T: DeserializeOwned>(&mut self, query: Select<'_>) -> Result<Option<T>, QueryError> {
        let row = query.fetch_optional(&mut *self.transaction).await?;
        row.map(|json| read(&json)).transpose()
    }

    /// The connection, for rows that are no JSON.
    pub(super) fn connection(&mut self) -> &mut sqlx::PgConnection {
        &mut self.transaction
    }

    /// The answer is complete.
    pub(super) async fn answer<T>(self, value: T) -> Result<At<T>, QueryError> {
        let position = self.position();
        self.transaction.commit().await?;
        Ok(At { value, position })
    }
}

/// Locks the views, always in the order of the tables of their read model as a rebuild does, then reads the checkpoints.
/// Both are sent at once; the second is the first that needs a snapshot.
fn lock_and_look(models: &[&ReadModel]) -> String {
    let tables = models.iter().flat_map(|model| model.tables);
    let views: Vec<&str> = tables.map(|table: &&Table| table.name).collect();
    let names: Vec<String> = models.iter().map(|model| format!("'{}'", model.name)).collect();
    let (views, names) = (views.join(", "), names.join(", "));
    format!(
        "LOCK TABLE {views} IN ACCESS SHARE MODE; \
         SELECT position FROM projections WHERE state = 'live' AND name IN ({names}) \
         ORDER BY array_position(ARRAY[{names}], name)"
    )
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, QueryError> {
    // Without the row itself, which may be personal.
    serde_json::from_str(json).map_err(|e| damaged(std::any::type_name::<T>(), &e.to_string()))
}

fn damaged(what: &str, problem: &str) -> QueryError {
    QueryError::Corrupt(format!("{what}: {problem}"))
}
