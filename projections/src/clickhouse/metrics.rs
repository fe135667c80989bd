//! What pages ask about measurements, and what was paid beside them.

use super::client::ClickHouse;
use crate::error::ProjectionError;
use crate::queries::{EngagementFigures, Group, Interval, MetricsFilter, Of, Watermark};
use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;
use viral_domain::Vcoin;
use viral_ledger::Amount;

#[derive(Debug, Row, Deserialize)]
struct Figures {
    impressions: u64,
    clicks: u64,
    watch_time: u64,
    conversions: u64,
}

#[derive(Debug, Row, Deserialize)]
struct Grouped {
    /// 0 in the groups of starts.
    without_start: u8,
    /// 0 in the groups of creators.
    without_creator: u8,
    /// In seconds since 1970.
    start: u32,
    #[serde(with = "clickhouse::serde::uuid")]
    creator_id: Uuid,
    platform: String,
    impressions: u64,
    clicks: u64,
    watch_time: u64,
    conversions: u64,
    rewards: u64,
    /// In units of the fourth digit behind the point.
    paid_vcoin: i128,
}

impl ClickHouse {
    /// The measurements of a campaign or of a creator in sum.
    pub(crate) async fn engagement_of(&self, of: Of) -> Result<EngagementFigures, ProjectionError> {
        let (column, id) = match of {
            Of::Campaign(id) => ("campaign_id", id),
            Of::Creator(id) => ("creator_id", id),
        };
        let statement = format!(
            "SELECT sum(e.impressions) AS impressions, sum(e.clicks) AS clicks, sum(e.watch_time) AS watch_time, \
                 sum(e.conversions) AS conversions FROM engagement_metrics AS e \
             WHERE {column} = toUUID(?)"
        );
        let asked = self.client().query(&statement).bind(id.to_string());
        let Figures {
            impressions,
            clicks,
            watch_time,
            conversions,
        } = self.briefly(asked.fetch_one::<Figures>()).await?;
        Ok(EngagementFigures {
            impressions,
            clicks,
            watch_time,
            conversions,
        })
    }

    /// The measurements of a campaign and what it paid, by hour or day, by creator and by platform; and the watermark.
    pub(crate) async fn campaign_groups(
        &self,
        campaign: Uuid,
        filter: &MetricsFilter,
    ) -> Result<(Watermark, Vec<Group>), ProjectionError> {
        // Before the groups: they may know more than it says, never less.
        let watermark = self.briefly(self.watermark_row()).await?;
        let start = match filter.interval {
            Interval::Hour => "toStartOfHour(at, 'UTC')",
            Interval::Day => "toStartOfDay(at, 'UTC')",
        };
        let statement = format!(
            "SELECT toUInt8(grouping(start)) AS without_start, toUInt8(grouping(creator_id)) AS without_creator, \
                 start, creator_id, platform, sum(a) AS impressions, sum(b) AS clicks, sum(c) AS watch_time, \
                 sum(d) AS conversions, sum(e) AS rewards, sum(f) AS paid_vcoin \
             FROM ( \
                 SELECT toUnixTimestamp({start}) AS start, creator_id, platform, a, b, c, d, e, f FROM ( \
                     SELECT timestamp AS at, creator_id, toString(platform) AS platform, impressions AS a, clicks AS b, \
                         watch_time AS c, conversions AS d, toUInt64(0) AS e, toDecimal128(0, 4) AS f \
                     FROM engagement_metrics WHERE campaign_id = toUUID(?) \
                     UNION ALL \
                     SELECT recorded_at, toUUIDOrZero(JSONExtractString(payload, 'creator')), '', toUInt64(0), \
                         toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(1), \
                         toDecimal128OrZero(JSONExtractString(payload, 'reward_vcoin'), 4) \
                     FROM events WHERE aggregate_type = 'campaign' AND aggregate_id = ? \
                         AND event_type = 'campaign.reward_paid' \
                 ) WHERE at >= fromUnixTimestamp64Micro(?, 'UTC') AND at < fromUnixTimestamp64Micro(?, 'UTC') \
             ) GROUP BY GROUPING SETS ((start), (creator_id), (platform))"
        );
        let asked = self
            .client()
            .query(&statement)
            .with_setting("force_grouping_standard_compatibility", "1")
            .with_setting("group_by_use_nulls", "0")
            .bind(campaign.to_string())
            .bind(campaign.to_string())
            .bind(
                filter
                    .from
                    .map_or(EARLIEST, |from| from.timestamp_micros().max(EARLIEST)),
            )
            .bind(filter.to.map_or(LATEST, |to| to.timestamp_micros().min(LATEST)));
        let rows = self.briefly(asked.fetch_all::<Grouped>()).await?;
        let groups = rows.into_iter().map(|row| self.group(row)).collect::<Result<_, _>>()?;
        Ok((watermark, groups))
    }

    async fn watermark_row(&self) -> Result<Watermark, clickhouse::error::Error> {
        #[derive(Debug, Row, Deserialize)]
        struct Found {
            position: u64,
            #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
            recorded_at: DateTime<Utc>,
        }
        let statement = "SELECT position, recorded_at FROM watermarks ORDER BY position DESC LIMIT 1";
        let found = self.client().query(statement).fetch_optional::<Found>().await?;
        Ok(Watermark {
            position: found.as_ref().map_or(0, |found| found.position).to_string(),
            recorded_at: found.map(|found| found.recorded_at),
        })
    }

    fn group(&self, row: Grouped) -> Result<Group, ProjectionError> {
        let is_of_start = row.without_start == 0;
        let is_of_creator = row.without_creator == 0;
        let paid_vcoin = Amount::from_minor(row.paid_vcoin).map(Vcoin);
        let paid_vcoin = paid_vcoin.map_err(|error| ProjectionError::ClickHouse(format!("{self}: paid: {error}")))?;
        Ok(Group {
            start: match is_of_start {
                true => DateTime::from_timestamp(i64::from(row.start), 0),
                false => None,
            },
            creator_id: is_of_creator.then_some(row.creator_id),
            platform: (!is_of_start && !is_of_creator).then_some(row.platform),
            figures: EngagementFigures {
                impressions: row.impressions,
                clicks: row.clicks,
                watch_time: row.watch_time,
                conversions: row.conversions,
            },
            rewards: row.rewards,
            paid_vcoin,
        })
    }
}

/// The years 1970 and 2100, in microseconds: `DateTime` of ClickHouse has no others.
const EARLIEST: i64 = 0;
const LATEST: i64 = 4_102_444_800_000_000;
