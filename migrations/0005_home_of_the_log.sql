-- Which log the tables beside the log belong to, where that log is not in this database. A row is written once, when the
-- database is first used beside such a log: from then on it is used beside no other, and not for a log of its own.
CREATE TABLE home_of_the_log (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    log_id uuid NOT NULL
);

GRANT SELECT, INSERT ON home_of_the_log TO viral_app;
