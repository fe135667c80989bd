//! A database beside a log that lies elsewhere: it has the read models, checkpoints and person keys of that one log.

use super::PostgresStore;
use super::error::from_sqlx;
use crate::error::StoreError;
use sqlx::Row;
use uuid::Uuid;

/// SQLSTATE where a table does not exist.
const NO_SUCH_TABLE: &str = "42P01";

impl PostgresStore {
    /// The id of the log elsewhere that this database is used beside, if it is.
    pub async fn log_elsewhere(&self) -> Result<Option<Uuid>, StoreError> {
        let found = sqlx::query("SELECT log_id FROM home_of_the_log")
            .fetch_optional(&self.pool)
            .await;
        match found {
            Ok(row) => row.map(|row| row.try_get(0).map_err(from_sqlx)).transpose(),
            // A database that was not brought to this version has never been used so.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH_TABLE) => Ok(None),
            Err(error) => Err(from_sqlx(error)),
        }
    }

    /// Remembers the log that this database is used beside, unless it remembers one. Answers which one it is.
    pub async fn remember_log_elsewhere(&self, log_id: Uuid) -> Result<Uuid, StoreError> {
        sqlx::query("INSERT INTO home_of_the_log (log_id) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(log_id)
            .execute(&self.pool)
            .await
            .map_err(from_sqlx)?;
        Ok(self.log_elsewhere().await?.unwrap_or(log_id))
    }
}
