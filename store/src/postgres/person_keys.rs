//! Keys of persons in PostgreSQL: table `person_keys`, beside the log.

use super::PostgresStore;
use super::error::from_sqlx;
use crate::error::StoreError;
use crate::person_keys::{PersonKeys, WrappedKey};
use async_trait::async_trait;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

#[async_trait]
impl PersonKeys for PostgresStore {
    async fn keep_first(&self, key: WrappedKey) -> Result<WrappedKey, StoreError> {
        sqlx::query(
            "INSERT INTO person_keys (person, key, wrapped) VALUES ($1, $2, $3) ON CONFLICT (person) DO NOTHING",
        )
        .bind(key.person)
        .bind(key.key)
        .bind(&key.wrapped)
        .execute(self.pool())
        .await
        .map_err(from_sqlx)?;
        let kept = self.of_persons(&[key.person]).await?.pop();
        kept.ok_or_else(|| StoreError::Corrupt(format!("the key of person {} is missing", key.person)))
    }

    async fn of_persons(&self, persons: &[Uuid]) -> Result<Vec<WrappedKey>, StoreError> {
        let rows = sqlx::query("SELECT person, key, wrapped FROM person_keys WHERE person = ANY($1)")
            .bind(persons)
            .fetch_all(self.pool())
            .await
            .map_err(from_sqlx)?;
        rows.iter().map(wrapped_key).collect()
    }

    async fn any(&self) -> Result<Option<WrappedKey>, StoreError> {
        let row = sqlx::query("SELECT person, key, wrapped FROM person_keys WHERE wrapped IS NOT NULL LIMIT 1")
            .fetch_optional(self.pool())
            .await
            .map_err(from_sqlx)?;
        row.as_ref().map(wrapped_key).transpose()
    }
}

fn wrapped_key(row: &PgRow) -> Result<WrappedKey, StoreError> {
    Ok(WrappedKey {
        person: row.try_get(0).map_err(from_sqlx)?,
        key: row.try_get(1).map_err(from_sqlx)?,
        wrapped: row.try_get(2).map_err(from_sqlx)?,
    })
}
