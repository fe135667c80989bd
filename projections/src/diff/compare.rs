//! Row against row, column against column.

use super::Difference;
use super::tables::{Found, TableFound};
use crate::error::ProjectionError;
use crate::model::Fold;
use crate::rows::TableRows;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use uuid::Uuid;
use viral_store::Position;

type Columns = Map<String, Value>;

/// Compares all tables of a read model. Answers how many rows were expected.
pub(super) fn model(
    fold: &mut dyn Fold,
    found: &Found,
    differences: &mut Vec<Difference>,
) -> Result<usize, ProjectionError> {
    let mut count = 0;
    for (rows, actual) in fold.tables().into_iter().zip(&found.tables) {
        count += table(rows, actual, differences)?;
    }
    Ok(count)
}

fn table(
    expected: &mut dyn TableRows,
    actual: &TableFound,
    differences: &mut Vec<Difference>,
) -> Result<usize, ProjectionError> {
    let table = expected.table();
    let damaged = |e: serde_json::Error| ProjectionError::DamagedRow {
        table: table.name.to_owned(),
        problem: e.to_string(),
    };
    let ids = expected.ids();
    let count = ids.len();
    let keys: BTreeSet<Uuid> = ids.into_iter().chain(actual.keys().copied()).collect();
    for key in keys {
        let expected = expected.take(key).map_err(damaged)?;
        let actual: Option<Columns> = match actual.get(&key) {
            Some(json) => Some(serde_json::from_str(json).map_err(damaged)?),
            None => None,
        };
        row(table.name, key, expected, actual, differences);
    }
    Ok(count)
}

fn row(table: &str, key: Uuid, expected: Option<Columns>, actual: Option<Columns>, differences: &mut Vec<Difference>) {
    let position = expected.as_ref().or(actual.as_ref()).and_then(position);
    let mut differs = |column: Option<&str>, expected: Option<String>, actual: Option<String>| {
        differences.push(Difference {
            table: table.to_owned(),
            key: key.to_string(),
            column: column.map(str::to_owned),
            expected,
            actual,
            position,
            event_type: None,
        });
    };
    match (expected, actual) {
        (Some(expected), Some(actual)) => {
            for (column, expected) in &expected {
                let actual = actual.get(column).unwrap_or(&Value::Null);
                if expected != actual {
                    differs(Some(column), text(expected), text(actual));
                }
            }
        }
        (expected, actual) => {
            let whole = |columns: Option<Columns>| columns.map(|columns| Value::Object(columns).to_string());
            differs(None, whole(expected), whole(actual));
        }
    }
}

fn position(columns: &Columns) -> Option<Position> {
    columns.get("position").and_then(Value::as_u64).map(Position)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
