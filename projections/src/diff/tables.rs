//! What stands in the tables of a read model, as of one moment.

use super::ParkedEvent;
use crate::error::ProjectionError;
use crate::model::ReadModel;
use crate::registry::{self, Registered, Target};
use sqlx::{Executor as _, PgConnection, PgPool, Row as _};
use std::collections::BTreeMap;
use uuid::Uuid;
use viral_store::StreamId;

/// The rows of a table, as JSON texts by their keys.
pub(super) type TableFound = BTreeMap<Uuid, String>;

pub(super) struct Found {
    pub(super) registered: Registered,
    pub(super) parked: Vec<ParkedEvent>,
    /// In the order of the read model's tables.
    pub(super) tables: Vec<TableFound>,
}

/// How many rows are read at once.
const PAGE: i64 = 10_000;
/// How often it is tried, if a rebuild replaces the tables meanwhile.
const ATTEMPTS: u32 = 5;

/// Reads checkpoint and rows in one transaction that sees one moment.
pub(super) async fn read(pool: &PgPool, model: &ReadModel) -> Result<Found, ProjectionError> {
    let mut attempt = 1;
    loop {
        let mut transaction = pool.begin().await?;
        transaction
            .execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .await?;
        let live = registry::find(&mut *transaction, model.name, Target::Live).await?;
        let live = live.ok_or_else(|| ProjectionError::NotSetUp(model.name.to_owned()))?;
        if live.schema_version != model.schema_version {
            return Err(ProjectionError::OtherSchema {
                name: model.name.to_owned(),
                found: live.schema_version,
                own: model.schema_version,
            });
        }
        let version = live.version;
        match read_in_tx(&mut transaction, model, live).await {
            Ok(found) => return Ok(found),
            Err(error) => {
                transaction.rollback().await?;
                let now = registry::find(pool, model.name, Target::Live).await?;
                if attempt == ATTEMPTS || now.is_none_or(|now| now.version == version) {
                    return Err(error);
                }
                attempt += 1;
            }
        }
    }
}

async fn read_in_tx(
    connection: &mut PgConnection,
    model: &ReadModel,
    registered: Registered,
) -> Result<Found, ProjectionError> {
    let version = registered.version;
    let parked = parked_in_tx(connection, model, version).await?;
    let mut tables = Vec::with_capacity(model.tables.len());
    for table in model.tables {
        let statement = table.select(version, "WHERE id > $1 ORDER BY id LIMIT $2");
        let (mut found, mut last) = (TableFound::new(), Uuid::nil());
        loop {
            let page: Vec<String> = sqlx::query_scalar(&statement)
                .bind(last)
                .bind(PAGE)
                .fetch_all(&mut *connection)
                .await?;
            let Some(row) = page.last() else { break };
            last = id_of(row, table.name)?;
            for row in page {
                found.insert(id_of(&row, table.name)?, row);
            }
        }
        tables.push(found);
    }
    Ok(Found {
        registered,
        parked,
        tables,
    })
}

fn id_of(row: &str, table: &str) -> Result<Uuid, ProjectionError> {
    #[derive(serde::Deserialize)]
    struct Key {
        id: Uuid,
    }
    let key: Key = serde_json::from_str(row).map_err(|e| ProjectionError::DamagedRow {
        table: table.to_owned(),
        problem: e.to_string(),
    })?;
    Ok(key.id)
}

async fn parked_in_tx(
    connection: &mut PgConnection,
    model: &ReadModel,
    version: i32,
) -> Result<Vec<ParkedEvent>, ProjectionError> {
    let statement = "SELECT position, aggregate_type, aggregate_id, event_type, problem FROM parked_events \
         WHERE projection = $1 AND version = $2 ORDER BY position";
    let rows = sqlx::query(statement)
        .bind(model.name)
        .bind(version)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ParkedEvent {
                projection: model.name.to_owned(),
                position: registry::position(row.try_get(0)?),
                stream: StreamId::new(row.try_get::<String, _>(1)?, row.try_get::<String, _>(2)?),
                event_type: row.try_get(3)?,
                problem: row.try_get(4)?,
            })
        })
        .collect()
}
