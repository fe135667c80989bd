//! Read models of another life of the log: they are ahead of it, and would wait for it for ever.

use crate::error::ProjectionError;
use crate::registry;
use sqlx::PgPool;
use viral_store::Checkpoint;

/// Marks every read model that contains something as one of an unknown schema at the log's beginning, so that the next
/// projector builds it anew. For a log that is empty. Answers how many there were.
pub async fn mark_outdated(pool: &PgPool) -> Result<u64, ProjectionError> {
    let statement = "UPDATE projections SET schema_version = 0, position = 0, event_id = $1, recorded_at = $2, \
         digest = $3, intended = NULL, feed_place = NULL, problem = NULL, halted_at = NULL, updated_at = now() \
         WHERE state = 'live' AND position > 0";
    let query = sqlx::query(statement).bind(Checkpoint::START.event_id);
    let query = query.bind(Checkpoint::START.recorded_at);
    let query = query.bind(registry::digest_of(&Checkpoint::START));
    Ok(query.execute(pool).await?.rows_affected())
}
