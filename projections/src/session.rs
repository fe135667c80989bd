//! How the projector works with the database.

use crate::error::ProjectionError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor as _, PgPool};
use std::str::FromStr as _;
use std::time::Duration;

/// Session settings of every connection. A crash of the server may lose the last commits, each with its checkpoint:
/// those events are then applied again, so nothing waits for the disk. Nothing is compiled (`jit`): the statements of a batch
/// are short, and what reads much fetches it.
const SESSION: &str = "SET ROLE viral_projector; SET synchronous_commit = off; \
     SET default_transaction_isolation = 'read committed'; SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET timezone = 'UTC'; SET jit = off";

/// A pool whose connections have the role `viral_projector`, which the user of the URL must be allowed to take on. It
/// connects when it is first used.
pub fn connect(url: &str) -> Result<PgPool, ProjectionError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|e| ProjectionError::Database(format!("the database URL cannot be read: {e}")))?
        .application_name("viral projector")
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SESSION).await?;
                Ok(())
            })
        });
    Ok(pool.connect_lazy_with(options))
}
