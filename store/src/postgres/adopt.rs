//! Giving an empty log the id of one that was lost, before its events are put back.

use super::error::from_sqlx;
use super::migrate::take_on_owner;
use super::target::Target;
use crate::continuity::Digest;
use crate::error::StoreError;
use sqlx::{Connection, Executor, PgConnection, Row};
use std::time::Duration;
use uuid::Uuid;

/// How often other processes are looked for, and with which pause: what has just ended is gone after a moment.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Gives the log of a migrated database this name, `urn:viral:log:<uuid>`, in one transaction; without effect if it has
/// it already. Snapshots that lie beside the empty log are of another life of it, and are removed.
///
/// # Errors
/// [`StoreError::Denied`] if the log is another one and has events, or if other processes of the platform are connected:
/// they go on with the old name until they are started again. The user of the URL must be allowed to take on the role
/// `viral_owner`.
pub async fn adopt(url: &str, source: &str) -> Result<(), StoreError> {
    let id = source
        .strip_prefix("urn:viral:log:")
        .and_then(|id| id.parse::<Uuid>().ok())
        .ok_or_else(|| StoreError::Setup(format!("{source:?} is not the name of a log, urn:viral:log:<uuid>")))?;
    let mut connection = Target::parse(url)?.named("viral adopt").connect().await?;
    take_on_owner(&mut connection).await?;
    adopt_as_owner(&mut connection, id).await?;
    connection.close().await.map_err(from_sqlx)
}

async fn adopt_as_owner(connection: &mut PgConnection, id: Uuid) -> Result<(), StoreError> {
    // Whoever appends waits for this row.
    let mut transaction = connection.begin().await.map_err(from_sqlx)?;
    let row = transaction
        .fetch_one("SELECT log_id, position = 0 AND NOT EXISTS (SELECT FROM events) FROM log_head FOR UPDATE")
        .await
        .map_err(from_sqlx)?;
    let (there, is_empty): (Uuid, bool) = (row.try_get(0).map_err(from_sqlx)?, row.try_get(1).map_err(from_sqlx)?);
    if there == id {
        return transaction.rollback().await.map_err(from_sqlx);
    }
    if !is_empty {
        return Err(StoreError::Denied(format!(
            "the log in this database is another one, urn:viral:log:{there}, and has events: a copy is restored into an \
             empty database"
        )));
    }
    wait_for_solitude(&mut transaction).await?;
    transaction
        .execute("DELETE FROM book_snapshots")
        .await
        .map_err(from_sqlx)?;
    sqlx::query("UPDATE log_head SET log_id = $1, digest = $2")
        .bind(id)
        .bind(Digest::EMPTY.0.as_slice())
        .execute(&mut *transaction)
        .await
        .map_err(from_sqlx)?;
    transaction.commit().await.map_err(from_sqlx)
}

async fn wait_for_solitude(connection: &mut PgConnection) -> Result<(), StoreError> {
    let others = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name LIKE 'viral%' AND pid <> pg_backend_pid()";
    let mut count: i64 = 0;
    for _ in 0..LOOKS {
        // Within a transaction the view is a picture of its first look.
        connection
            .execute("SELECT pg_stat_clear_snapshot()")
            .await
            .map_err(from_sqlx)?;
        count = sqlx::query_scalar(others)
            .fetch_one(&mut *connection)
            .await
            .map_err(from_sqlx)?;
        if count == 0 {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(StoreError::Denied(format!(
        "other processes of the platform use this database ({count} connections): stop them first"
    )))
}
