//! How the projector works with the database.

use crate::error::ProjectionError;
use sqlx::{Connection as _, PgPool};
use viral_store::postgres::Target;

/// Session settings of every connection. A crash of the server may lose the last commits, each with its checkpoint:
/// those events are then applied again, so nothing waits for the disk. Nothing is compiled (`jit`): the statements of a batch
/// are short, and what reads much fetches it.
const SESSION: &str = "SET ROLE viral_projector; SET synchronous_commit = off; \
     SET default_transaction_isolation = 'read committed'; SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET timezone = 'UTC'; SET jit = off";

/// How many connections a process that serves has.
const CONNECTIONS: u32 = 8;
/// As many as a command needs that ends by itself.
const FEW: u32 = 2;

/// A pool whose connections have the role `viral_projector`, which the user of the URL must be allowed to take on. It
/// connects when it is first used.
pub fn connect(url: &str) -> Result<PgPool, ProjectionError> {
    Ok(target(url)?.pool(SESSION, CONNECTIONS))
}

/// As [`connect`], for a command that ends by itself: it takes few of the server's connections, beside processes that serve.
/// A server that has none left says so at once, where a pool would try again and again.
pub async fn connect_briefly(url: &str) -> Result<PgPool, ProjectionError> {
    let target = target(url)?;
    let first = target.connect().await?;
    // It has done its duty; the server notices that it is gone.
    let _ = first.close().await;
    Ok(target.pool(SESSION, FEW))
}

fn target(url: &str) -> Result<Target, ProjectionError> {
    Ok(Target::parse(url)?.named("viral projector"))
}
