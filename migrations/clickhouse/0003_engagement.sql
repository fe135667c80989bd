-- Measurements of engagement. They are no events: they have no position, and count as soon as they are here. The same one replaces
-- itself, whatever campaign, creator or time a correction names: so
-- platform and id are the whole key.

CREATE TABLE IF NOT EXISTS engagement_rows (
    platform LowCardinality(String) COMMENT 'Where it was measured, such as youtube',
    id String COMMENT 'Id that the source gave it',
    version UInt64 COMMENT 'Which version of it; the highest counts',
    campaign_id UUID COMMENT 'For which campaign',
    creator_id UUID COMMENT 'For which creator',
    timestamp DateTime64(6, 'UTC') COMMENT 'The time that it counts for',
    impressions UInt64 COMMENT 'How often it was shown',
    clicks UInt64 COMMENT 'How often it was clicked',
    watch_time UInt64 COMMENT 'How long it was watched, in seconds',
    conversions UInt64 COMMENT 'How often somebody did what the campaign is for',
    received_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When it came in',
    precedence UInt128 MATERIALIZED bitShiftLeft(toUInt128(version), 64) + toUInt128(toUnixTimestamp64Micro(received_at))
        COMMENT 'Which row of a measurement counts: the highest version, and of equal ones the last that came in'
)
ENGINE = ReplacingMergeTree(precedence) ORDER BY (platform, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Measurements as they came in; behind the view engagement_metrics';

CREATE TABLE IF NOT EXISTS engagement_offset_rows (
    partition UInt32 COMMENT 'Partition of topic viral.engagement.v1',
    record_offset UInt64 COMMENT 'The last record that is in engagement_rows',
    fingerprint String COMMENT 'What tells that record from others, if the topic is made anew',
    written_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When it was noted'
)
ENGINE = ReplacingMergeTree(written_at) ORDER BY partition
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'How far Kafka was read; measurements that did not come by Kafka are not noted';
