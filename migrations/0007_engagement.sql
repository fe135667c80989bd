-- Measurements of engagement, where there is neither Kafka nor ClickHouse to take them. They are no part of the log and come
-- back from backups only. Once there is one of the two they are moved there.
CREATE TABLE engagement_metrics (
    platform text NOT NULL,
    id text NOT NULL,
    version bigint NOT NULL CHECK (version >= 0),
    campaign_id uuid NOT NULL,
    creator_id uuid NOT NULL,
    "timestamp" timestamptz NOT NULL,
    impressions bigint NOT NULL CHECK (impressions >= 0),
    clicks bigint NOT NULL CHECK (clicks >= 0),
    watch_time bigint NOT NULL CHECK (watch_time >= 0),
    conversions bigint NOT NULL CHECK (conversions >= 0),
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (platform, id)
);
CREATE INDEX ON engagement_metrics (campaign_id, "timestamp");
CREATE INDEX ON engagement_metrics (creator_id);

GRANT SELECT, INSERT, UPDATE ON engagement_metrics TO viral_app;
GRANT SELECT, DELETE ON engagement_metrics TO viral_projector;
