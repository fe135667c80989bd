//! The row `clickhouse` of the table `projections`: where ClickHouse is, which range is being inserted, and what is wrong.

use super::NAME;
use super::projector::ClickHouseProjector;
use crate::error::ProjectionError;
use crate::registry::{self, Registered, Target};
use viral_store::{Checkpoint, Position};

impl ClickHouseProjector {
    pub(super) async fn noted(&self) -> Result<Registered, ProjectionError> {
        let found = registry::find(&self.pool, NAME, Target::Live).await?;
        found.ok_or_else(|| ProjectionError::NotSetUp(NAME.to_owned()))
    }

    pub(super) async fn register(&self) -> Result<(), ProjectionError> {
        let statement = "INSERT INTO projections (name, version, schema_version, state, position) \
             VALUES ($1, 1, 1, 'live', 0) ON CONFLICT DO NOTHING";
        sqlx::query(statement).bind(NAME).execute(&self.pool).await?;
        Ok(())
    }

    /// Begins at another position than was noted, unless somebody changed the note meanwhile. Answers what is noted then.
    pub(super) async fn begin_at(&self, noted: &Registered, position: Position) -> Result<Registered, ProjectionError> {
        let at = registry::checkpoint_at(self.store.as_ref(), position).await?;
        sqlx::query(
            "UPDATE projections SET position = $2, intended = NULL, feed_place = NULL, event_id = $5, recorded_at = $6, \
             digest = $7, updated_at = now() \
             WHERE name = $1 AND state = 'live' AND position = $3 AND intended IS NOT DISTINCT FROM $4",
        )
        .bind(NAME)
        .bind(registry::signed(position))
        .bind(registry::signed(noted.position))
        .bind(noted.intended.map(registry::signed))
        .bind(at.event_id)
        .bind(at.recorded_at)
        .bind(registry::digest_of(&at))
        .execute(&self.pool)
        .await?;
        self.noted().await
    }

    /// Notes what is about to be inserted. Answers false if somebody else did, moved on, or stopped it.
    pub(super) async fn intend(&self, noted: &Registered, to: Position) -> Result<bool, ProjectionError> {
        let statement = "UPDATE projections SET intended = $4, updated_at = now() \
             WHERE name = $1 AND version = $2 AND position = $3 AND intended IS NULL AND halted_at IS NULL";
        let done = sqlx::query(statement)
            .bind(NAME)
            .bind(noted.version)
            .bind(registry::signed(noted.position))
            .bind(registry::signed(to))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Notes that a range is inserted, unless somebody else did.
    pub(super) async fn move_on(
        &self,
        noted: &Registered,
        to: &Checkpoint,
        place: Option<&str>,
    ) -> Result<(), ProjectionError> {
        let statement = "UPDATE projections SET position = $4, intended = NULL, feed_place = coalesce($5, feed_place), \
             event_id = $6, recorded_at = $7, digest = $8, updated_at = now() \
             WHERE name = $1 AND version = $2 AND position = $3";
        sqlx::query(statement)
            .bind(NAME)
            .bind(noted.version)
            .bind(registry::signed(noted.position))
            .bind(registry::signed(to.position))
            .bind(place)
            .bind(to.event_id)
            .bind(to.recorded_at)
            .bind(registry::digest_of(to))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes why ClickHouse is not filled for now, or nothing when it is.
    pub(super) async fn note_refusal(&self, why: Option<&str>) -> Result<(), ProjectionError> {
        let statement = "UPDATE projections SET refusal = $2, updated_at = now() \
             WHERE name = $1 AND state = 'live' AND refusal IS DISTINCT FROM $2";
        sqlx::query(statement).bind(NAME).bind(why).execute(&self.pool).await?;
        Ok(())
    }
}
