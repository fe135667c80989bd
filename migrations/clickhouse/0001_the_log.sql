-- The log and the entries of the ledger, for analysts. The tables `<name>_rows` are filled by the projector, in ranges of
-- positions; whatever is inserted again replaces itself. The views beside them show each row once, up to the watermark:
-- nobody sees a position whose rows are not all there.

CREATE TABLE IF NOT EXISTS watermark_rows (
    source String COMMENT 'The log, urn:viral:log:<uuid>',
    position UInt64 COMMENT 'Every event up to here is in all tables',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When the event at this position was recorded',
    written_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When it was noted here'
)
ENGINE = ReplacingMergeTree(position) ORDER BY source
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'How far the tables are complete; behind the view watermarks';

CREATE TABLE IF NOT EXISTS event_rows (
    position UInt64 COMMENT 'Place in the log, from 1, without gaps',
    event_id UUID COMMENT 'Id of the event',
    aggregate_type LowCardinality(String) COMMENT 'What kind of aggregate it happened to',
    aggregate_id String COMMENT 'Which one',
    sequence UInt64 COMMENT 'Place in the stream of the aggregate, from 1',
    event_type LowCardinality(String) COMMENT 'What happened, for example campaign.funded',
    event_version LowCardinality(String) COMMENT 'Version of the schema of the payload',
    payload String COMMENT 'What happened, as JSON; personal fields are sealed' CODEC(ZSTD(3)),
    metadata String COMMENT 'What is known beside it, as JSON' CODEC(ZSTD(3)),
    recorded_at DateTime64(6, 'UTC') COMMENT 'When it was recorded',
    recorded_date Date MATERIALIZED toDate(recorded_at, 'UTC') COMMENT 'The day, in UTC',
    actor String MATERIALIZED JSONExtractString(metadata, 'actor') COMMENT 'Pseudonymous id of who asked; empty if nobody did',
    correlation_id String MATERIALIZED JSONExtractString(metadata, 'correlationid') COMMENT 'The request that it belongs to',
    unit_id UUID MATERIALIZED toUUIDOrZero(JSONExtractString(metadata, 'unitid')) COMMENT 'The unit that it was appended in, all or nothing',
    INDEX of_position position TYPE minmax GRANULARITY 1,
    INDEX of_day recorded_date TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree ORDER BY (aggregate_type, position)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every event of the log; behind the view events';

CREATE TABLE IF NOT EXISTS ledger_entry_rows (
    position UInt64 COMMENT 'Position of the event that posted it',
    posting UInt16 COMMENT 'Which posting of its transaction, from 0',
    side LowCardinality(String) COMMENT 'debit or credit',
    transaction_id UUID COMMENT 'Id of the transaction',
    account String COMMENT 'Address of the account',
    asset LowCardinality(String) COMMENT 'VCOIN or an ISO 4217 code',
    amount Decimal(38, 4) COMMENT 'How much, always more than zero',
    code LowCardinality(String) COMMENT 'Kind of the transaction, for example reward',
    reference_type LowCardinality(String) COMMENT 'What it is about; empty if nothing',
    reference_id String COMMENT 'Id of what it is about',
    effective_at DateTime64(6, 'UTC') COMMENT 'When it takes effect in reports',
    posted_at DateTime64(6, 'UTC') COMMENT 'When it was recorded',
    reverses Nullable(UUID) COMMENT 'The transaction that it undoes',
    captures Nullable(UUID) COMMENT 'The hold that it captured',
    effective_date Date32 MATERIALIZED toDate32(effective_at) COMMENT 'Day of effect, in UTC',
    posted_date Date MATERIALIZED toDate(posted_at, 'UTC') COMMENT 'Day of posting, in UTC',
    INDEX of_position position TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree ORDER BY (asset, account, position, posting, side)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Both sides of every posting; behind the view ledger_entries';
