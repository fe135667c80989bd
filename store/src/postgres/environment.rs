//! What a database is used for: it is marked when it is first used.

use super::PostgresStore;
use super::error::from_sqlx;
use crate::error::StoreError;
use sqlx::Row as _;

/// What a database is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine, with `--dev`.
    Development,
    /// In earnest.
    Production,
}

impl Environment {
    fn name(self) -> &'static str {
        match self {
            Environment::Development => "development",
            Environment::Production => "production",
        }
    }
}

impl PostgresStore {
    /// What this database was marked with, if it was.
    pub async fn environment(&self) -> Result<Option<Environment>, StoreError> {
        let row = sqlx::query("SELECT name FROM environment")
            .fetch_optional(&self.pool)
            .await
            .map_err(from_sqlx)?;
        let Some(row) = row else { return Ok(None) };
        let name: String = row.try_get(0).map_err(from_sqlx)?;
        let known = [Environment::Development, Environment::Production];
        match known.into_iter().find(|environment| environment.name() == name) {
            Some(environment) => Ok(Some(environment)),
            None => Err(StoreError::Corrupt(format!("table environment has the name {name:?}"))),
        }
    }

    /// Whether anybody was ever registered: a person has a key here, or an event in the log.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        let anybody =
            "SELECT EXISTS (SELECT FROM person_keys) OR EXISTS (SELECT FROM events WHERE aggregate_type = 'user')";
        sqlx::query_scalar(anybody)
            .fetch_one(&self.pool)
            .await
            .map_err(from_sqlx)
    }

    /// Marks the database, unless it is. Answers what it is marked with: another process may have been faster.
    pub async fn mark_environment(&self, environment: Environment) -> Result<Environment, StoreError> {
        sqlx::query("INSERT INTO environment (name) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(environment.name())
            .execute(&self.pool)
            .await
            .map_err(from_sqlx)?;
        Ok(self.environment().await?.unwrap_or(environment))
    }
}
