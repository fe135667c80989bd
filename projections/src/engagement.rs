//! Measurements of engagement in PostgreSQL, where there is neither Kafka nor ClickHouse: table `engagement_metrics`.

use crate::error::ProjectionError;
use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row as _};
use uuid::Uuid;
use viral_domain::engagement::Recorded;
use viral_domain::{CampaignId, Measurement, UserId};

/// Takes measurements, with a pool whose connections have the role `viral_app`.
#[derive(Debug, Clone)]
pub struct EngagementTable {
    pool: PgPool,
}

impl EngagementTable {
    /// In the database of this pool.
    pub fn new(pool: PgPool) -> EngagementTable {
        EngagementTable { pool }
    }

    /// Keeps measurements, each of another platform or id. One that is there in a higher version is left as it is.
    pub async fn upsert(&self, recorded: &[Recorded]) -> Result<(), ProjectionError> {
        let measurements: Vec<&Measurement> = recorded.iter().map(|recorded| &recorded.measurement).collect();
        let texts = |of: fn(&Measurement) -> &str| measurements.iter().map(|m| of(m).to_owned()).collect::<Vec<_>>();
        let ids = |of: fn(&Measurement) -> Uuid| measurements.iter().map(|m| of(m)).collect::<Vec<_>>();
        // All of them are less than 2^53, see `Measurement::check`.
        let numbers = |of: fn(&Measurement) -> u64| {
            let numbers = measurements.iter().map(|m| i64::try_from(of(m)).unwrap_or(i64::MAX));
            numbers.collect::<Vec<_>>()
        };
        let statement = "INSERT INTO engagement_metrics AS kept \
             (platform, id, version, campaign_id, creator_id, timestamp, impressions, clicks, watch_time, conversions, \
                 received_at) \
             SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::uuid[], $5::uuid[], $6::timestamptz[], \
                 $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::timestamptz[]) AS rows (platform, id) ORDER BY platform, id \
             ON CONFLICT (platform, id) DO UPDATE SET version = excluded.version, campaign_id = excluded.campaign_id, \
                 creator_id = excluded.creator_id, timestamp = excluded.timestamp, impressions = excluded.impressions, \
                 clicks = excluded.clicks, watch_time = excluded.watch_time, conversions = excluded.conversions, \
                 received_at = excluded.received_at \
             WHERE (excluded.version, excluded.received_at) >= (kept.version, kept.received_at)";
        sqlx::query(statement)
            .bind(texts(|m| &m.platform))
            .bind(texts(|m| &m.id))
            .bind(numbers(|m| m.version))
            .bind(ids(|m| m.campaign_id.0))
            .bind(ids(|m| m.creator_id.0))
            .bind(measurements.iter().map(|m| m.timestamp).collect::<Vec<_>>())
            .bind(numbers(|m| m.impressions))
            .bind(numbers(|m| m.clicks))
            .bind(numbers(|m| m.watch_time))
            .bind(numbers(|m| m.conversions))
            .bind(recorded.iter().map(|recorded| recorded.at).collect::<Vec<_>>())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// How many are here, counted up to `limit`.
    pub async fn count(&self, limit: u32) -> Result<u64, ProjectionError> {
        let statement = "SELECT count(*) FROM (SELECT 1 FROM engagement_metrics LIMIT $1) counted";
        let count: i64 = sqlx::query_scalar(statement)
            .bind(i64::from(limit))
            .fetch_one(&self.pool)
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Some of those that are here, to be moved elsewhere: [`EngagementTable::moved`] then takes them away.
    pub async fn waiting(&self, limit: u32) -> Result<Vec<Recorded>, ProjectionError> {
        let statement = "SELECT platform, id, version, campaign_id, creator_id, timestamp, impressions, clicks, watch_time, \
             conversions, received_at FROM engagement_metrics ORDER BY platform, id LIMIT $1";
        let rows = sqlx::query(statement)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        let mut waiting = Vec::with_capacity(rows.len());
        for row in rows {
            // The table refuses what is negative.
            let number = |name: &str| Ok::<u64, sqlx::Error>(row.try_get::<i64, _>(name)?.unsigned_abs());
            let at = row.try_get("received_at")?;
            let measurement = Measurement {
                platform: row.try_get("platform")?,
                id: row.try_get("id")?,
                version: number("version")?,
                campaign_id: CampaignId(row.try_get("campaign_id")?),
                creator_id: UserId(row.try_get("creator_id")?),
                timestamp: row.try_get("timestamp")?,
                impressions: number("impressions")?,
                clicks: number("clicks")?,
                watch_time: number("watch_time")?,
                conversions: number("conversions")?,
            };
            waiting.push(Recorded { measurement, at });
        }
        Ok(waiting)
    }

    /// Takes away what was moved, but what came in anew meanwhile. The pool is from [`crate::connect`] here.
    pub async fn moved(&self, moved: &[Recorded]) -> Result<(), ProjectionError> {
        let (platforms, ids): (Vec<&str>, Vec<&str>) = moved
            .iter()
            .map(|recorded| (recorded.measurement.platform.as_str(), recorded.measurement.id.as_str()))
            .unzip();
        let versions: Vec<i64> = moved
            .iter()
            .map(|recorded| i64::try_from(recorded.measurement.version).unwrap_or(i64::MAX))
            .collect();
        let received_at: Vec<DateTime<Utc>> = moved.iter().map(|recorded| recorded.at).collect();
        let statement = "DELETE FROM engagement_metrics AS kept \
             USING unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[]) AS moved (platform, id, received_at, version) \
             WHERE kept.platform = moved.platform AND kept.id = moved.id AND kept.received_at = moved.received_at \
                 AND kept.version = moved.version";
        sqlx::query(statement)
            .bind(platforms)
            .bind(ids)
            .bind(received_at)
            .bind(versions)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
