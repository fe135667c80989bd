-- ClickHouse is filled in ranges of positions. The row of projections that is named `clickhouse` notes the end of a range
-- before it is inserted there, so that after a crash the same range is sent again under the same deduplication token.
ALTER TABLE projections ADD COLUMN intended bigint CHECK (intended > position);
