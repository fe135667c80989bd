-- Where the published log goes on after the last event of a read model that follows it; null while it follows the store.
-- It only spares reading: an older place, or none, gives the same rows.
ALTER TABLE projections ADD COLUMN feed_place text;

-- Records of the published log that are no events of this log: somebody else wrote them, or they were damaged.
CREATE TABLE unreadable_records (
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    problem text NOT NULL,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, record_offset)
);

GRANT SELECT ON unreadable_records TO viral_app;
GRANT SELECT, INSERT, DELETE ON unreadable_records TO viral_projector;
