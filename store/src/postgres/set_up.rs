//! What a database must be before anything is made in it or written to it. Nothing here changes anything.

use super::error::from_sqlx;
use super::target::Target;
use crate::error::StoreError;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

/// How often two sessions are asked which server process serves them. A pooler that changes it answers differently at once
/// where it is idle, and soon where it is busy.
const LOOKS: u32 = 8;

/// Checks that the platform can work with the database of a URL: that it can be written to, holds every text, and gives each
/// session a server process of its own.
pub async fn check(url: &str) -> Result<(), StoreError> {
    let target = Target::parse(url)?.named("viral check");
    let connection = checked(&target).await?;
    connection.close().await.map_err(from_sqlx)
}

/// A connection to a database that was checked.
pub(super) async fn checked(target: &Target) -> Result<PgConnection, StoreError> {
    let mut connection = target.connect().await?;
    let looked = tokio::time::timeout(target.patience(), check_session(&mut connection, target)).await;
    looked.map_err(|_| {
        let text =
            "a second connection gets no answer: where a pooler stands in front of the server, it gives out too few";
        StoreError::Unavailable(text.to_owned())
    })??;
    let row = connection
        .fetch_one(
            "SELECT current_setting('server_encoding'), pg_is_in_recovery(), \
             current_setting('transaction_read_only') = 'on'",
        )
        .await
        .map_err(from_sqlx)?;
    let encoding: String = row.try_get(0).map_err(from_sqlx)?;
    let (standby, read_only): (bool, bool) = (row.try_get(1).map_err(from_sqlx)?, row.try_get(2).map_err(from_sqlx)?);
    if standby {
        let text = "the server is a standby, which can only be read: DATABASE_URL must name the primary";
        return Err(StoreError::Denied(text.to_owned()));
    }
    if read_only {
        let text = "the server is read-only (default_transaction_read_only is on, for it, the database or the user): make it \
             writable, or name another server in DATABASE_URL";
        return Err(StoreError::Denied(text.to_owned()));
    }
    match encoding_problem(&encoding) {
        Some(problem) => Err(StoreError::Setup(problem)),
        None => Ok(connection),
    }
}

/// What is wrong with a database of this encoding: one that cannot hold every text would refuse some requests, and some
/// events only when they reach the read models.
pub fn encoding_problem(encoding: &str) -> Option<String> {
    (encoding != "UTF8").then(|| {
        format!(
            "the database has the encoding {encoding}, which cannot hold every text: make one with CREATE DATABASE viral \
             ENCODING 'UTF8' TEMPLATE template0; what is in this one moves by `viral export events` and `viral import \
             events`"
        )
    })
}

/// Whether roles, settings, locks and prepared statements of a session stay with it. A pooler that gives each transaction
/// to another server process would hand them to strangers, so nothing may be set before this is known.
async fn check_session(connection: &mut PgConnection, target: &Target) -> Result<(), StoreError> {
    let mut other = target.connect().await?;
    let (ours, theirs) = (process(connection).await?, process(&mut other).await?);
    let mut kept = ours != theirs;
    for _ in 0..LOOKS {
        kept = kept && process(connection).await? == ours && process(&mut other).await? == theirs;
    }
    // The server notices that it is gone.
    let _ = other.close().await;
    if kept {
        return Ok(());
    }
    let text = "the connection goes through a pooler that gives a session's transactions to different server processes, as \
         PgBouncer does with pool_mode = transaction: the platform needs session pooling (pool_mode = session), or a \
         DATABASE_URL that names the server itself";
    Err(StoreError::Setup(text.to_owned()))
}

/// The server process that answers. Asked without a prepared statement, which such a pooler mixes up.
async fn process(connection: &mut PgConnection) -> Result<i32, StoreError> {
    let row = connection
        .fetch_one("SELECT pg_backend_pid()")
        .await
        .map_err(from_sqlx)?;
    row.try_get(0).map_err(from_sqlx)
}
