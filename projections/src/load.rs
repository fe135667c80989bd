//! Rows between the tables and memory: one statement per table and batch, both ways.

use crate::error::ProjectionError;
use crate::fact::Event;
use crate::model::Fold;
use sqlx::PgConnection;
use uuid::Uuid;

/// Reads the rows that events touch. A row may lead to another one, so this goes on until nothing new is asked for.
pub(crate) async fn touched_in_tx(
    connection: &mut PgConnection,
    version: i32,
    fold: &mut dyn Fold,
    events: &[&Event],
) -> Result<(), ProjectionError> {
    loop {
        for event in events {
            fold.touch(event);
        }
        let mut asked_any = false;
        for index in 0..fold.tables().len() {
            asked_any |= wanted_in_tx(connection, version, fold, index).await?;
        }
        if !asked_any {
            return Ok(());
        }
    }
}

async fn wanted_in_tx(
    connection: &mut PgConnection,
    version: i32,
    fold: &mut dyn Fold,
    index: usize,
) -> Result<bool, ProjectionError> {
    let (asked, statement): (Vec<Uuid>, String) = {
        let mut tables = fold.tables();
        let Some(rows) = tables.get_mut(index) else {
            return Ok(false);
        };
        (rows.take_wanted(), rows.table().select(version, "WHERE id = ANY($1)"))
    };
    if asked.is_empty() {
        return Ok(false);
    }
    let found: Vec<String> = sqlx::query_scalar(&statement)
        .bind(&asked)
        .fetch_all(connection)
        .await?;
    if let Some(rows) = fold.tables().get_mut(index) {
        rows.load(&asked, &found).map_err(|e| ProjectionError::DamagedRow {
            table: rows.table().versioned(version),
            problem: e.to_string(),
        })?;
    }
    Ok(true)
}

/// Writes what changed. The rows stay marked as changed until [`written`], because the caller may have to take the
/// statements back.
pub(crate) async fn flush_in_tx(
    connection: &mut PgConnection,
    version: i32,
    fold: &mut dyn Fold,
) -> Result<(), sqlx::Error> {
    let mut statements = Vec::new();
    for rows in fold.tables() {
        let json = rows.dirty().map_err(|e| sqlx::Error::Encode(Box::new(e)))?;
        if let Some(json) = json {
            statements.push((rows.table().upsert(version), json));
        }
    }
    for (statement, json) in statements {
        sqlx::query(&statement).bind(json).execute(&mut *connection).await?;
    }
    Ok(())
}

/// What was flushed is in the tables.
pub(crate) fn written(fold: &mut dyn Fold) {
    for rows in fold.tables() {
        rows.written();
    }
}
