//! What came of a campaign: measurements of engagement beside the rewards that were paid.
//!
//! Rewards are always those of the read models. Where measurements cannot be asked the answer says what is missing.

use super::kpi::KpiProgress;
use super::measurements::{AWAY, Asked, EngagementFigures, Measurements, Of};
use super::snapshot::{Snapshot, select};
use super::{At, OfCampaign, QueryError, ReadModels, campaigns};
use crate::campaigns::READ_MODEL;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;
use viral_domain::{CampaignId, UserId, Vcoin, VcoinSum};
use viral_ledger::{Amount, timestamp};

/// How long one point of a series is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

/// What was measured, and what was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Performance {
    /// What was measured; null where measurements cannot be asked.
    pub engagement: Option<EngagementFigures>,
    /// How many rewards were paid.
    pub rewards: u64,
    /// How much that was, fees included.
    #[schemars(with = "Vcoin")]
    pub paid_vcoin: VcoinSum,
}

/// An hour or a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Point {
    /// When it begins.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub start: DateTime<Utc>,
    /// What happened in it.
    #[serde(flatten)]
    pub performance: Performance,
}

/// A creator's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CreatorPerformance {
    /// Which creator.
    pub creator_id: Uuid,
    /// What came of it.
    #[serde(flatten)]
    pub performance: Performance,
}

/// A platform's part. Rewards are not paid by platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlatformPerformance {
    /// Which platform.
    pub platform: String,
    /// What was measured there.
    pub engagement: EngagementFigures,
}

/// What was paid for each result, rounded to four digits; null while there is none, or not all of them are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CostPerResult {
    /// For a thousand impressions.
    pub per_thousand_impressions: Option<Vcoin>,
    /// For a click.
    pub per_click: Option<Vcoin>,
    /// For an hour of watching.
    pub per_watch_hour: Option<Vcoin>,
    /// For a conversion.
    pub per_conversion: Option<Vcoin>,
}

/// How much of the log is in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Watermark {
    /// Rewards up to this position of the log are in it.
    pub position: String,
    /// When the event at that position was recorded; null for position 0.
    #[serde(serialize_with = "timestamp::option::serialize")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub recorded_at: Option<DateTime<Utc>>,
}

/// What came of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CampaignMetrics {
    /// Which campaign.
    pub campaign_id: Uuid,
    /// How long the points of the series are.
    pub interval: Interval,
    /// `clickhouse` if measurements of ClickHouse are in the answer, else `postgres`.
    pub source: &'static str,
    /// How much of the log is in it. Measurements are not in the log, they count as soon as they have come in.
    pub watermark: Watermark,
    /// Why there are no measurements, or not all; null if there are.
    pub missing: Option<String>,
    /// Everything in the time that was asked for.
    pub totals: Performance,
    /// What was paid for each result in that time.
    pub cost: CostPerResult,
    /// The hours or days in which something happened, in their order.
    pub series: Vec<Point>,
    /// By creator, the most impressions first; the first 1,000.
    pub by_creator: Vec<CreatorPerformance>,
    /// By platform, in the order of their names; the first 1,000.
    pub by_platform: Vec<PlatformPerformance>,
    /// How far each target is reached, whatever time was asked for.
    pub kpi_progress: Vec<KpiProgress>,
}

/// Which part of a campaign's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsFilter {
    /// At or after this.
    pub from: Option<DateTime<Utc>>,
    /// Before this.
    pub to: Option<DateTime<Utc>>,
    /// How long the points of the series are.
    pub interval: Interval,
}

/// Figures of an hour or day, of a creator, or of a platform: exactly one of the three is named.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Group {
    pub(crate) start: Option<DateTime<Utc>>,
    pub(crate) creator_id: Option<Uuid>,
    /// Empty for rewards.
    pub(crate) platform: Option<String>,
    #[serde(flatten)]
    pub(crate) figures: EngagementFigures,
    pub(crate) rewards: u64,
    pub(crate) paid_vcoin: Vcoin,
}

/// The most creators in an answer.
const MOST_CREATORS: usize = 1_000;
/// The most platforms, in the order of their names.
const MOST_PLATFORMS: usize = 1_000;

/// Rewards of the read models, with the measurements of PostgreSQL if `measured`.
async fn groups(
    snapshot: &mut Snapshot,
    campaign: Uuid,
    filter: &MetricsFilter,
    measured: bool,
) -> Result<Vec<Group>, QueryError> {
    let query = select!(
        r#"SELECT start, creator_id, platform, sum(impressions)::bigint AS impressions, sum(clicks)::bigint AS clicks,
             sum(watch_time)::bigint AS watch_time, sum(conversions)::bigint AS conversions,
             sum(rewards)::bigint AS rewards, sum(paid)::numeric(38,4)::text AS paid_vcoin
           FROM (
             SELECT date_trunc($4, at, 'UTC') AS start, creator_id, platform, impressions, clicks, watch_time,
               conversions, rewards, paid
             FROM (
               SELECT timestamp AS at, creator_id, platform, impressions, clicks, watch_time, conversions,
                 0 AS rewards, 0::numeric AS paid
               FROM engagement_metrics WHERE campaign_id = $1 AND $5
               UNION ALL
               SELECT resolved_at, creator_id, '', 0, 0, 0, 0, 1, reward_vcoin
               FROM creator_assignments WHERE campaign_id = $1 AND assignment_status = 'approved'
             ) both_kinds
             WHERE ($2::timestamptz IS NULL OR at >= $2) AND ($3::timestamptz IS NULL OR at < $3)
           ) cut
           GROUP BY GROUPING SETS ((start), (creator_id), (platform))"#
    );
    let unit = match filter.interval {
        Interval::Hour => "hour",
        Interval::Day => "day",
    };
    let query = query
        .bind(campaign)
        .bind(filter.from)
        .bind(filter.to)
        .bind(unit)
        .bind(measured);
    snapshot.rows(query).await
}

impl ReadModels {
    /// What came of a campaign; nothing if there is none.
    pub async fn campaign_metrics(
        &self,
        id: CampaignId,
        filter: &MetricsFilter,
    ) -> Result<At<Option<OfCampaign<CampaignMetrics>>>, QueryError> {
        let asked = self.measurements.ask(Of::Campaign(id.0)).await;
        let (from_clickhouse, asked) = match (&self.measurements, asked) {
            (Measurements::ClickHouse(clickhouse), Asked::Known(figures)) => {
                match clickhouse.campaign_groups(id.0, filter).await {
                    Ok(found) => (Some(found), Asked::Known(figures)),
                    Err(_) => (None, Asked::Missing(AWAY.to_owned())),
                }
            }
            (_, asked) => (None, asked),
        };
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let Some(campaign) = campaigns::find(&mut snapshot, id, None, Some(asked)).await? else {
            return snapshot.answer(None).await;
        };
        let engagement = campaign.engagement.unwrap_or_default();
        let is_known = engagement.figures.is_some();
        // Rewards are those of the read models, which are as far as the answer says; measurements have no position.
        let in_postgres = is_known && from_clickhouse.is_none();
        let mut groups = groups(&mut snapshot, id.0, filter, in_postgres).await?;
        let source = match from_clickhouse {
            Some(measured) => {
                groups.extend(measured);
                "clickhouse"
            }
            None => "postgres",
        };
        let mut metrics = CampaignMetrics {
            kpi_progress: campaign.kpi_progress,
            source,
            watermark: Watermark {
                position: snapshot.position().to_string(),
                recorded_at: None,
            },
            missing: engagement.missing,
            ..folded(id.0, filter.interval, groups, is_known)
        };
        if metrics.missing.is_some() {
            // Prices of a part of the results would be wrong.
            metrics.cost = CostPerResult::default();
        }
        let of_campaign = OfCampaign {
            sponsor_id: UserId(campaign.summary.sponsor_id),
            campaign_status: campaign.summary.status,
            value: metrics,
        };
        let mut answer = snapshot.answer(Some(of_campaign)).await?;
        // The log is asked once the snapshot's connection is given back: of a pool that is in use nobody may hold one and
        // wait for another.
        let event = self.log.event_at(answer.position).await?;
        if let Some(of_campaign) = &mut answer.value {
            of_campaign.value.watermark.recorded_at = event.map(|event| event.recorded_at);
        }
        Ok(answer)
    }
}

/// The parts of an answer that come of groups. `is_known` says whether measurements are among them.
fn folded(campaign_id: Uuid, interval: Interval, groups: Vec<Group>, is_known: bool) -> CampaignMetrics {
    let none = || Performance {
        engagement: is_known.then(EngagementFigures::default),
        rewards: 0,
        paid_vcoin: VcoinSum::ZERO,
    };
    let mut series = BTreeMap::<DateTime<Utc>, Performance>::new();
    let mut creators = BTreeMap::<Uuid, Performance>::new();
    let mut by_platform = Vec::new();
    let mut totals = none();
    for group in &groups {
        if let Some(start) = group.start {
            series.entry(start).or_insert_with(none).add(group);
        } else if let Some(creator_id) = group.creator_id {
            creators.entry(creator_id).or_insert_with(none).add(group);
        } else if let Some(platform) = &group.platform {
            // Every row has one platform, so these are the totals.
            totals.add(group);
            if !platform.is_empty() {
                by_platform.push(PlatformPerformance {
                    platform: platform.clone(),
                    engagement: group.figures,
                });
            }
        }
    }
    let impressions = |performance: &Performance| performance.engagement.map_or(0, |figures| figures.impressions);
    let mut by_creator: Vec<CreatorPerformance> = creators
        .into_iter()
        .map(|(creator_id, performance)| CreatorPerformance {
            creator_id,
            performance,
        })
        .collect();
    // Those with as many stay in the order of their ids.
    by_creator.sort_by_key(|creator| std::cmp::Reverse(impressions(&creator.performance)));
    by_creator.truncate(MOST_CREATORS);
    by_platform.sort_by(|a, b| a.platform.cmp(&b.platform));
    by_platform.truncate(MOST_PLATFORMS);
    CampaignMetrics {
        campaign_id,
        interval,
        source: "",
        watermark: Watermark {
            position: String::new(),
            recorded_at: None,
        },
        missing: None,
        cost: match &totals.engagement {
            Some(sum) => CostPerResult::of(totals.paid_vcoin, sum),
            None => CostPerResult::default(),
        },
        totals,
        series: series
            .into_iter()
            .map(|(start, performance)| Point { start, performance })
            .collect(),
        by_creator,
        by_platform,
        kpi_progress: Vec::new(),
    }
}

impl Performance {
    fn add(&mut self, group: &Group) {
        self.engagement = self.engagement.map(|figures| figures.plus(&group.figures));
        self.rewards = self.rewards.saturating_add(group.rewards);
        self.paid_vcoin += group.paid_vcoin;
    }
}

impl CostPerResult {
    fn of(paid: VcoinSum, sum: &EngagementFigures) -> CostPerResult {
        CostPerResult {
            per_thousand_impressions: share(paid, 1_000, sum.impressions),
            per_click: share(paid, 1, sum.clicks),
            per_watch_hour: share(paid, 3_600, sum.watch_time),
            per_conversion: share(paid, 1, sum.conversions),
        }
    }
}

/// `paid * times / count`, rounded half up to the smallest amount.
fn share(paid: VcoinSum, times: i128, count: u64) -> Option<Vcoin> {
    let count = i128::from(count);
    let doubled = paid.minor().checked_mul(times)?.checked_mul(2)?.checked_add(count)?;
    let minor = doubled.checked_div(count.checked_mul(2)?)?;
    Amount::from_minor(minor).ok().map(Vcoin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_rounded_and_only_there_for_results() {
        let paid = Vcoin::parse("10").unwrap();
        let sum = EngagementFigures {
            impressions: 30_000,
            clicks: 3,
            watch_time: 0,
            conversions: 0,
        };
        let cost = CostPerResult::of(paid.into(), &sum);
        assert_eq!(cost.per_thousand_impressions, Vcoin::parse("0.3333").ok());
        assert_eq!(cost.per_click, Vcoin::parse("3.3333").ok());
        assert_eq!((cost.per_watch_hour, cost.per_conversion), (None, None));
        let two = EngagementFigures { clicks: 60_000, ..sum };
        assert_eq!(
            CostPerResult::of(paid.into(), &two).per_click,
            Vcoin::parse("0.0002").ok()
        );
    }

    #[test]
    fn groups_become_totals_and_parts() {
        let group =
            |start: Option<&str>, creator: Option<u128>, platform: Option<&str>, impressions: u64, rewards: u64| {
                Group {
                    start: start.map(|text| text.parse().unwrap()),
                    creator_id: creator.map(Uuid::from_u128),
                    platform: platform.map(str::to_owned),
                    figures: EngagementFigures {
                        impressions,
                        ..EngagementFigures::default()
                    },
                    rewards,
                    paid_vcoin: Vcoin::parse(&format!("{rewards}")).unwrap(),
                }
            };
        let (late, early) = (Some("2026-03-02T00:00:00Z"), Some("2026-03-01T00:00:00Z"));
        let groups = vec![
            group(late, None, None, 30, 0),
            group(early, None, None, 10, 2),
            group(None, Some(1), None, 15, 2),
            group(None, Some(2), None, 25, 0),
            group(None, None, Some("youtube"), 40, 0),
            group(None, None, Some(""), 0, 2),
        ];
        let told = folded(Uuid::from_u128(9), Interval::Day, groups.clone(), true);
        assert_eq!(told.totals.engagement.unwrap().impressions, 40);
        assert_eq!(
            (told.totals.rewards, told.totals.paid_vcoin),
            (2, Vcoin::parse("2").unwrap().into())
        );
        assert!(told.series[0].start < told.series[1].start);
        assert_eq!(told.by_creator[0].creator_id, Uuid::from_u128(2));
        assert_eq!(told.by_platform.len(), 1);
        let unknown = folded(Uuid::from_u128(9), Interval::Day, groups, false);
        assert_eq!((unknown.totals.engagement, unknown.totals.rewards), (None, 2));
        assert_eq!(unknown.cost, CostPerResult::default());
    }
}
