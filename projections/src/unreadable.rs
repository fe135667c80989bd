//! What the published log has that is no event of this log: table `unreadable_records`, for operators to look at.

use crate::error::ProjectionError;
use async_trait::async_trait;
use sqlx::{PgPool, Row as _};
use viral_store::StoreError;
use viral_store::feed::{FeedError, NoteUnreadable, UnreadableRecord};

/// Keeps unreadable records beside the read models.
#[derive(Debug, Clone)]
pub struct UnreadableRecords {
    pool: PgPool,
}

impl UnreadableRecords {
    /// In the database of this pool, from [`crate::connect`] if anything is to be noted.
    pub fn new(pool: PgPool) -> UnreadableRecords {
        UnreadableRecords { pool }
    }

    /// All of them, in the order of topics, partitions and offsets; at most `limit`.
    pub async fn list(&self, limit: u32) -> Result<Vec<UnreadableRecord>, ProjectionError> {
        let statement = "SELECT topic, partition, record_offset, problem FROM unreadable_records \
             ORDER BY topic, partition, record_offset LIMIT $1";
        let rows = sqlx::query(statement)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(UnreadableRecord {
                    topic: row.try_get(0)?,
                    partition: row.try_get(1)?,
                    offset: row.try_get(2)?,
                    problem: row.try_get(3)?,
                })
            })
            .collect()
    }

    async fn insert(&self, record: &UnreadableRecord) -> Result<(), ProjectionError> {
        let statement = "INSERT INTO unreadable_records (topic, partition, record_offset, problem) \
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        sqlx::query(statement)
            .bind(&record.topic)
            .bind(record.partition)
            .bind(record.offset)
            .bind(record.problem.replace('\0', "\u{fffd}"))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

#[async_trait]
impl NoteUnreadable for UnreadableRecords {
    async fn note(&self, record: &UnreadableRecord) -> Result<(), FeedError> {
        let noted = self.insert(record).await;
        noted.map_err(|error| FeedError::Store(StoreError::Unavailable(error.to_string())))
    }
}
