//! Leases: what only one process at a time may do, held by a session of the database. They end with the session, however
//! that ends.

use super::error::from_sqlx;
use super::target::Target;
use crate::error::StoreError;
use sqlx::{Executor as _, PgConnection};
use std::fmt;
use std::time::Duration;

/// How often a holder looks whether its session still lives.
const LOOK: Duration = Duration::from_millis(500);
/// How long the server may take to answer that.
const ANSWER: Duration = Duration::from_secs(5);
/// A holder idles; the server must notice within some seconds when its machine is gone.
const SESSION: &str = "SET idle_session_timeout = 0; SET statement_timeout = '10s'; \
     SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3";

/// Gives leases out.
#[derive(Clone)]
pub struct Leases {
    target: Target,
}

impl fmt::Debug for Leases {
    /// Without the connection's options: passwords must not reach a log by way of `{:?}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leases").finish_non_exhaustive()
    }
}

/// A lease, to be taken when it is free. It is given up when this is dropped, or when the session ends.
pub struct Lease {
    name: String,
    connection: PgConnection,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Leases {
    pub(super) fn new(target: Target) -> Leases {
        Leases {
            target: target.named("viral lease"),
        }
    }

    /// Opens a session for a lease, which is not taken yet.
    pub async fn open(&self, name: &str) -> Result<Lease, StoreError> {
        let mut connection = self.target.connect().await?;
        connection.execute(SESSION).await.map_err(from_sqlx)?;
        Ok(Lease {
            name: name.to_owned(),
            connection,
        })
    }
}

impl Lease {
    /// Takes the lease, unless another session of this database has it. To be called once it is not held.
    pub async fn try_take(&mut self) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtext('viral lease'), hashtext($1))")
            .bind(&self.name)
            .fetch_one(&mut self.connection)
            .await
            .map_err(from_sqlx)
    }

    /// Waits until the lease is lost, and says how that was noticed. It may have been lost up to some seconds before.
    pub async fn lost(&mut self) -> StoreError {
        loop {
            tokio::time::sleep(LOOK).await;
            match tokio::time::timeout(ANSWER, self.connection.execute("SELECT 1")).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return from_sqlx(error),
                Err(_) => {
                    let text = format!("the server did not answer for {} s", ANSWER.as_secs());
                    return StoreError::Unavailable(text);
                }
            }
        }
    }
}
