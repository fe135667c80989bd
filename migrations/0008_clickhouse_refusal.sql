-- Why ClickHouse is not filled for now, where that does not pass by itself: it is tried again all the time, and cleared when
-- it goes on. A read model that is stopped for good has `problem` instead.
ALTER TABLE projections ADD COLUMN refusal text;
