-- What analysts read of measurements.

CREATE OR REPLACE VIEW engagement_metrics (
    platform LowCardinality(String) COMMENT 'Where it was measured, such as youtube',
    id String COMMENT 'Id that the source gave it',
    version UInt64 COMMENT 'Which version of it; the highest counts',
    campaign_id UUID COMMENT 'For which campaign',
    creator_id UUID COMMENT 'For which creator',
    timestamp DateTime64(6, 'UTC') COMMENT 'The time that it counts for',
    date Date COMMENT 'The day of that time, in UTC',
    impressions UInt64 COMMENT 'How often it was shown',
    clicks UInt64 COMMENT 'How often it was clicked',
    watch_time UInt64 COMMENT 'How long it was watched, in seconds',
    conversions UInt64 COMMENT 'How often somebody did what the campaign is for'
) AS
SELECT platform, id, version, campaign_id, creator_id, timestamp, toDate(timestamp, 'UTC') AS date,
    impressions, clicks, watch_time, conversions
FROM engagement_rows FINAL
COMMENT 'Each measurement once, in its highest version';

CREATE OR REPLACE VIEW campaign_performance (
    period LowCardinality(String) COMMENT 'hour or day: choose one, each has all figures',
    start DateTime('UTC') COMMENT 'When the hour or day begins, in UTC',
    campaign_id UUID COMMENT 'Which campaign',
    impressions UInt64 COMMENT 'How often something was shown',
    clicks UInt64 COMMENT 'How often it was clicked',
    watch_time UInt64 COMMENT 'How long it was watched, in seconds',
    conversions UInt64 COMMENT 'How often somebody did what the campaign is for',
    rewards UInt64 COMMENT 'How many rewards were paid, up to the watermark',
    paid_vcoin Decimal(38, 4) COMMENT 'What was paid for them out of its escrow, fees included'
) AS
SELECT period, if(period = 'day', toDateTime(toStartOfDay(hour, 'UTC'), 'UTC'), hour) AS start, campaign_id,
    sum(hour_impressions) AS impressions, sum(hour_clicks) AS clicks, sum(hour_watch_time) AS watch_time,
    sum(hour_conversions) AS conversions, sum(hour_rewards) AS rewards, sum(hour_paid_vcoin) AS paid_vcoin
FROM (
    SELECT toDateTime(toStartOfHour(timestamp, 'UTC'), 'UTC') AS hour, campaign_id,
        sum(impressions) AS hour_impressions, sum(clicks) AS hour_clicks, sum(watch_time) AS hour_watch_time,
        sum(conversions) AS hour_conversions, toUInt64(0) AS hour_rewards, toDecimal128(0, 4) AS hour_paid_vcoin
    FROM engagement_metrics GROUP BY hour, campaign_id
    UNION ALL
    SELECT toDateTime(toStartOfHour(recorded_at, 'UTC'), 'UTC') AS hour, toUUIDOrZero(aggregate_id) AS campaign_id,
        toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), count(),
        sum(toDecimal128OrZero(JSONExtractString(payload, 'reward_vcoin'), 4))
    FROM events WHERE aggregate_type = 'campaign' AND event_type = 'campaign.reward_paid' GROUP BY hour, campaign_id
)
ARRAY JOIN ['hour', 'day'] AS period
GROUP BY period, start, campaign_id
SETTINGS join_use_nulls = 0, aggregate_functions_null_for_empty = 0
COMMENT 'What was measured of each campaign and paid for it, by hour and by day';

CREATE OR REPLACE VIEW creator_performance (
    period LowCardinality(String) COMMENT 'hour or day: choose one, each has all figures',
    start DateTime('UTC') COMMENT 'When the hour or day begins, in UTC',
    creator_id UUID COMMENT 'Which creator',
    impressions UInt64 COMMENT 'How often something was shown',
    clicks UInt64 COMMENT 'How often it was clicked',
    watch_time UInt64 COMMENT 'How long it was watched, in seconds',
    conversions UInt64 COMMENT 'How often somebody did what the campaign is for',
    rewards UInt64 COMMENT 'How many rewards were paid, up to the watermark',
    earned_vcoin Decimal(38, 4) COMMENT 'What they earned by them, fees deducted'
) AS
SELECT period, if(period = 'day', toDateTime(toStartOfDay(hour, 'UTC'), 'UTC'), hour) AS start, creator_id,
    sum(hour_impressions) AS impressions, sum(hour_clicks) AS clicks, sum(hour_watch_time) AS watch_time,
    sum(hour_conversions) AS conversions, sum(hour_rewards) AS rewards, sum(hour_earned_vcoin) AS earned_vcoin
FROM (
    SELECT toDateTime(toStartOfHour(timestamp, 'UTC'), 'UTC') AS hour, creator_id,
        sum(impressions) AS hour_impressions, sum(clicks) AS hour_clicks, sum(watch_time) AS hour_watch_time,
        sum(conversions) AS hour_conversions, toUInt64(0) AS hour_rewards, toDecimal128(0, 4) AS hour_earned_vcoin
    FROM engagement_metrics GROUP BY hour, creator_id
    UNION ALL
    SELECT toDateTime(toStartOfHour(recorded_at, 'UTC'), 'UTC') AS hour, toUUIDOrZero(JSONExtractString(payload, 'creator')) AS creator_id,
        toUInt64(0), toUInt64(0), toUInt64(0), toUInt64(0), count(),
        sum(toDecimal128OrZero(JSONExtractString(payload, 'net_vcoin'), 4))
    FROM events WHERE aggregate_type = 'campaign' AND event_type = 'campaign.reward_paid' GROUP BY hour, creator_id
)
ARRAY JOIN ['hour', 'day'] AS period
GROUP BY period, start, creator_id
SETTINGS join_use_nulls = 0, aggregate_functions_null_for_empty = 0
COMMENT 'What was measured of each creator and what they earned, by hour and by day';
