//! Measurements of engagement in ClickHouse.

use super::client::ClickHouse;
use crate::error::ProjectionError;
use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_domain::engagement::Recorded;

/// A row of `engagement_rows`.
#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
struct EngagementRow {
    platform: String,
    id: String,
    version: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    campaign_id: Uuid,
    #[serde(with = "clickhouse::serde::uuid")]
    creator_id: Uuid,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    timestamp: DateTime<Utc>,
    impressions: u64,
    clicks: u64,
    watch_time: u64,
    conversions: u64,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    received_at: DateTime<Utc>,
}

/// How far a partition of the topic was read: a row of `engagement_offset_rows`.
#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct EngagementOffset {
    /// Which partition.
    pub partition: u32,
    /// The last record that is in ClickHouse.
    pub record_offset: u64,
    /// What tells that record from others, if the topic is made anew.
    pub fingerprint: String,
}

impl From<&Recorded> for EngagementRow {
    fn from(Recorded { measurement: of, at }: &Recorded) -> EngagementRow {
        EngagementRow {
            platform: of.platform.clone(),
            id: of.id.clone(),
            version: of.version,
            campaign_id: of.campaign_id.0,
            creator_id: of.creator_id.0,
            timestamp: of.timestamp,
            impressions: of.impressions,
            clicks: of.clicks,
            watch_time: of.watch_time,
            conversions: of.conversions,
            received_at: *at,
        }
    }
}

impl ClickHouse {
    /// Inserts measurements. The same ones may be inserted any number of times: they replace themselves.
    ///
    /// # Errors
    /// [`ProjectionError::ClickHouseAway`] or [`ProjectionError::ClickHouse`]; then some may be there.
    pub async fn insert_measurements(&self, measurements: &[Recorded]) -> Result<(), ProjectionError> {
        let rows: Vec<EngagementRow> = measurements.iter().map(EngagementRow::from).collect();
        self.insert_again("engagement_rows", &rows).await
    }

    /// How far each partition of the topic was read.
    pub async fn engagement_offsets(&self) -> Result<Vec<EngagementOffset>, ProjectionError> {
        let statement = "SELECT ?fields FROM engagement_offset_rows FINAL ORDER BY partition";
        self.within(self.client().query(statement).fetch_all::<EngagementOffset>())
            .await
    }

    /// Notes how far partitions were read, after what was read is inserted.
    pub async fn note_engagement_offsets(&self, offsets: &[EngagementOffset]) -> Result<(), ProjectionError> {
        self.insert_again("engagement_offset_rows", offsets).await
    }

    /// Kafka is read from its beginning then.
    pub async fn forget_engagement_offsets(&self) -> Result<(), ProjectionError> {
        let statement = "TRUNCATE TABLE IF EXISTS engagement_offset_rows";
        self.within(self.client().query_raw(statement).execute()).await
    }

    /// Inserts rows into a table that remembers no tokens.
    async fn insert_again<R>(&self, table: &str, rows: &[R]) -> Result<(), ProjectionError>
    where
        R: clickhouse::RowOwned + clickhouse::RowWrite,
    {
        match rows.is_empty() {
            true => Ok(()),
            false => self.insert(table, &Uuid::now_v7().to_string(), rows).await,
        }
    }
}
