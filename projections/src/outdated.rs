//! Read models of another life of the log: they are ahead of it, and would wait for it for ever.

use crate::error::ProjectionError;
use sqlx::PgPool;

/// Marks every read model that contains something as one of an unknown schema at the log's beginning, so that the next
/// projector builds it anew. For a log that is empty. Answers how many there were.
pub async fn mark_outdated(pool: &PgPool) -> Result<u64, ProjectionError> {
    let statement = "UPDATE projections SET schema_version = 0, position = 0, intended = NULL, feed_place = NULL, \
         problem = NULL, halted_at = NULL, \
         updated_at = now() WHERE state = 'live' AND position > 0";
    Ok(sqlx::query(statement).execute(pool).await?.rows_affected())
}
