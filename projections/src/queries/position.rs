//! Positions: decimal strings in JSON, numbers in the database.

use serde::{Deserialize, Deserializer, Serializer};
use viral_store::Position;

pub(super) fn serialize<S: Serializer>(position: &Position, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(position)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Position, D::Error> {
    u64::deserialize(deserializer).map(Position)
}

/// A position to compare a column with. Beyond the largest `bigint` there is no event.
pub(super) fn column(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}
