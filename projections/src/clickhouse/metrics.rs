//! What pages ask about measurements.

use super::client::{BRIEF_PATIENCE, ClickHouse};
use crate::error::ProjectionError;
use crate::queries::{EngagementFigures, Group, Interval, MetricsFilter, Of};
use chrono::DateTime;
use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;
use viral_domain::Vcoin;

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
        let asked = self
            .client()
            .query(&statement)
            .with_setting("max_execution_time", BRIEF_PATIENCE.as_secs().to_string());
        let asked = asked.bind(id.to_string());
        self.briefly(asked.fetch_one::<EngagementFigures>()).await
    }

    /// The measurements of a campaign, by hour or day, by creator and by platform; without rewards.
    pub(crate) async fn campaign_groups(
        &self,
        campaign: Uuid,
        filter: &MetricsFilter,
    ) -> Result<Vec<Group>, ProjectionError> {
        let start = match filter.interval {
            Interval::Hour => "toStartOfHour(timestamp, 'UTC')",
            Interval::Day => "toStartOfDay(timestamp, 'UTC')",
        };
        let statement = format!(
            "SELECT toUInt8(grouping(start)) AS without_start, toUInt8(grouping(creator_id)) AS without_creator, \
                 start, creator_id, platform, sum(a) AS impressions, sum(b) AS clicks, sum(c) AS watch_time, \
                 sum(d) AS conversions \
             FROM ( \
                 SELECT toUnixTimestamp({start}) AS start, creator_id, toString(platform) AS platform, impressions AS a, \
                     clicks AS b, watch_time AS c, conversions AS d \
                 FROM engagement_metrics WHERE campaign_id = toUUID(?) \
                     AND timestamp >= fromUnixTimestamp64Micro(?, 'UTC') AND timestamp < fromUnixTimestamp64Micro(?, 'UTC') \
             ) GROUP BY GROUPING SETS ((start), (creator_id), (platform))"
        );
        let asked = self
            .client()
            .query(&statement)
            .with_setting("force_grouping_standard_compatibility", "1")
            .with_setting("group_by_use_nulls", "0")
            .with_setting("max_execution_time", BRIEF_PATIENCE.as_secs().to_string())
            .bind(campaign.to_string())
            .bind(
                filter
                    .from
                    .map_or(EARLIEST, |from| from.timestamp_micros().max(EARLIEST)),
            )
            .bind(filter.to.map_or(LATEST, |to| to.timestamp_micros().min(LATEST)));
        let rows = self.briefly(asked.fetch_all::<Grouped>()).await?;
        Ok(rows.into_iter().map(Group::from).collect())
    }
}

impl From<Grouped> for Group {
    fn from(row: Grouped) -> Group {
        let is_of_start = row.without_start == 0;
        let is_of_creator = row.without_creator == 0;
        Group {
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
            rewards: 0,
            paid_vcoin: Vcoin::ZERO,
        }
    }
}

/// Before and after every measurement, in microseconds since 1970.
const EARLIEST: i64 = 0;
const LATEST: i64 = 4_102_531_200_000_000;
