//! One rebuild of a read model at a time, whichever process does it.

use crate::error::ProjectionError;
use sqlx::{PgConnection, PgPool};

/// The right to rebuild. It is the session's: given up when the connection is dropped, however that happens.
pub(crate) struct RebuildLock {
    connection: PgConnection,
    name: String,
}

impl RebuildLock {
    /// Takes it.
    ///
    /// # Errors
    /// [`ProjectionError::RebuildInProgress`] if somebody else has it.
    pub(crate) async fn take(pool: &PgPool, name: &str) -> Result<RebuildLock, ProjectionError> {
        let mut lock = RebuildLock {
            connection: pool.acquire().await?.detach(),
            name: name.to_owned(),
        };
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext('viral rebuild'), hashtext($1))")
            .bind(name)
            .fetch_one(&mut lock.connection)
            .await?;
        match taken {
            true => Ok(lock),
            false => Err(ProjectionError::RebuildInProgress(lock.name)),
        }
    }

    /// Gives it up at once: a server notices a connection that is closed only a moment later, and whoever rebuilds next
    /// should not be refused for that.
    pub(crate) async fn release(mut self) {
        let unlock = "SELECT pg_advisory_unlock(hashtext('viral rebuild'), hashtext($1))";
        // If this fails the connection is gone, and the lock with it.
        let _ = sqlx::query(unlock).bind(&self.name).execute(&mut self.connection).await;
    }
}
