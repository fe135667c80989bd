//! ClickHouse's migrations. Each statement can be run again, so one that was cut off is.

use super::client::ClickHouse;
use crate::error::ProjectionError;
use clickhouse::Row;
use serde::{Deserialize, Serialize};

/// The statements of `migrations/clickhouse/`, in order. Those that only make views are made anew whenever they say something
/// else; the others are never changed once they are released.
const MIGRATIONS: [(u32, &str, &str); 4] = [
    (
        1,
        "the_log",
        include_str!("../../../migrations/clickhouse/0001_the_log.sql"),
    ),
    (
        2,
        "views",
        include_str!("../../../migrations/clickhouse/0002_views.sql"),
    ),
    (
        3,
        "engagement",
        include_str!("../../../migrations/clickhouse/0003_engagement.sql"),
    ),
    (
        4,
        "engagement_views",
        include_str!("../../../migrations/clickhouse/0004_engagement_views.sql"),
    ),
];

/// What was applied.
const APPLIED: &str = "CREATE TABLE IF NOT EXISTS schema_migrations ( \
     version UInt32 COMMENT 'Number of the file', name String COMMENT 'Its name', \
     statements String COMMENT 'What it said', applied_at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When it was applied') \
     ENGINE = ReplacingMergeTree ORDER BY version COMMENT 'Which migrations were applied'";

/// Tables that must replace rows by their key, which is this; and whether they must know what was inserted last.
const REPLACING: [(&str, &str, bool); 5] = [
    ("watermark_rows", "source", true),
    ("event_rows", "aggregate_type, position", true),
    ("ledger_entry_rows", "asset, account, position, posting, side", true),
    ("engagement_rows", "platform, id", false),
    ("engagement_offset_rows", "partition", false),
];

#[derive(Debug, Row, Serialize, Deserialize)]
struct Applied {
    version: u32,
    name: String,
    statements: String,
}

#[derive(Debug, Row, Deserialize)]
struct Made {
    name: String,
    engine: String,
    engine_full: String,
    sorting_key: String,
    partition_key: String,
}

impl Made {
    /// What is wrong with it, if anything is.
    fn problem(&self, key: &str, has_window: bool) -> Option<String> {
        let Made {
            engine, sorting_key, ..
        } = self;
        if !engine.ends_with("ReplacingMergeTree") {
            return Some(format!("has engine {engine}, not ReplacingMergeTree"));
        }
        if sorting_key != key {
            return Some(format!(
                "is sorted by ({sorting_key}), not by ({key}): other rows would replace each other"
            ));
        }
        if !self.partition_key.is_empty() {
            let key = &self.partition_key;
            return Some(format!(
                "is partitioned by {key}: rows in different partitions never replace each other"
            ));
        }
        // What is noted must survive a loss of power; elsewhere other replicas have it.
        let durable: &[&str] = match engine.as_str() {
            "ReplacingMergeTree" => &["fsync_after_insert", "fsync_part_directory"],
            _ => &[],
        };
        let unsafe_setting = durable.iter().find(|setting| self.setting(setting).unwrap_or(0) == 0);
        if let Some(setting) = unsafe_setting {
            return Some(format!("has no {setting}, or 0: it must be 1"));
        }
        if !has_window {
            return None;
        }
        // Replicated tables have another setting, which is not 0 unless somebody says so.
        let (setting, unset) = match engine.as_str() {
            "ReplacingMergeTree" => ("non_replicated_deduplication_window", 0),
            _ => ("replicated_deduplication_window", 1),
        };
        (self.setting(setting).unwrap_or(unset) == 0).then(|| format!("has no {setting}, or 0: it must be more"))
    }

    /// A number or truth among the settings of the table.
    fn setting(&self, name: &str) -> Option<u64> {
        let (_, settings) = self.engine_full.split_once(" SETTINGS ")?;
        let mut settings = settings.split(',').filter_map(|setting| setting.split_once('='));
        let (_, value) = settings.find(|(found, _)| found.trim() == name)?;
        match value.trim() {
            "true" => Some(1),
            "false" => Some(0),
            number => number.parse().ok(),
        }
    }
}

impl ClickHouse {
    /// Makes the database and its tables, and brings them to the newest version. Answers which migrations were applied.
    ///
    /// # Errors
    /// [`ProjectionError::ClickHouse`] where a migration was changed after it was applied, or is of a newer program.
    pub async fn migrate(&self) -> Result<Vec<String>, ProjectionError> {
        self.check_version().await?;
        let statement = format!("CREATE DATABASE IF NOT EXISTS {}", self.database());
        self.within(self.outside().query(&statement).execute()).await?;
        self.within(self.client().query(APPLIED).execute()).await?;
        let applied = self.applied().await?;
        let newest = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
        if let Some(unknown) = applied.iter().find(|applied| applied.version > newest) {
            let (version, name) = (unknown.version, &unknown.name);
            return Err(ProjectionError::ClickHouse(format!(
                "{self} has migration {version} ({name}), which this program does not know: run the same version everywhere"
            )));
        }
        let made = self.made().await?;
        let is_lost = |table: &str| !made.iter().any(|made| made.name == table);
        if is_lost("engagement_rows") {
            // What may be noted to be in it is not: it is read from Kafka again.
            self.forget_engagement_offsets().await?;
        }
        let mut done = Vec::new();
        for (version, name, text) in MIGRATIONS {
            let makes = |table: &str| text.contains(&format!("CREATE TABLE IF NOT EXISTS {table} ("));
            let makes_lost = REPLACING.iter().any(|(table, ..)| is_lost(table) && makes(table));
            match applied.iter().find(|applied| applied.version == version) {
                // Each of its statements leaves alone what is there.
                Some(applied) if applied.statements == text && makes_lost => {}
                Some(applied) if applied.statements == text => continue,
                Some(_) if only_views(text) => {}
                Some(_) => {
                    return Err(ProjectionError::ClickHouse(format!(
                        "migration {version} ({name}) of {self} was another one when it was applied: a migration that was \
                         released is never changed"
                    )));
                }
                None => {}
            }
            for statement in statements(text) {
                self.within(self.client().query_raw(&statement).execute()).await?;
            }
            let row = Applied {
                version,
                name: name.to_owned(),
                statements: text.to_owned(),
            };
            self.within(async {
                let mut insert = self.client().insert::<Applied>("schema_migrations").await?;
                insert.write(&row).await?;
                insert.end().await
            })
            .await?;
            done.push(format!("{version:04} {name}"));
        }
        self.check_tables().await?;
        Ok(done)
    }

    /// The tables and views that are there.
    async fn made(&self) -> Result<Vec<Made>, ProjectionError> {
        let statement = "SELECT ?fields FROM system.tables WHERE database = currentDatabase()";
        self.within(self.client().query(statement).fetch_all::<Made>()).await
    }

    async fn applied(&self) -> Result<Vec<Applied>, ProjectionError> {
        let statement = "SELECT version, name, statements FROM schema_migrations FINAL ORDER BY version";
        self.within(self.client().query(statement).fetch_all::<Applied>()).await
    }

    /// Checks that nobody has changed what the exactness rests on.
    ///
    /// # Errors
    /// [`ProjectionError::ClickHouse`] naming the table and what is wrong with it.
    pub async fn check_tables(&self) -> Result<(), ProjectionError> {
        let made = self.made().await?;
        for (table, key, has_window) in REPLACING {
            let problem = match made.iter().find(|made| made.name == table) {
                Some(made) => made.problem(key, has_window),
                None => Some("is missing: run `viral migrate`".to_owned()),
            };
            if let Some(problem) = problem {
                return Err(ProjectionError::ClickHouse(format!(
                    "table {table} of {self} {problem}"
                )));
            }
        }
        Ok(())
    }
}

/// Whether a file has nothing but views, which hold nothing.
fn only_views(text: &str) -> bool {
    let statements = statements(text);
    let is_view = |statement: &String| statement.starts_with("CREATE OR REPLACE VIEW ");
    !statements.is_empty() && statements.iter().all(is_view)
}

/// The statements of a file. A statement ends with a semicolon at the end of a line.
fn statements(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with("--"));
    let text = lines.fold(String::new(), |text, line| text + line + "\n");
    let statements = text.split(";\n").map(|statement| statement.trim().to_owned());
    statements.filter(|statement| !statement.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_somebody_made_otherwise_are_told() {
        let with = |engine: &str, key: &str, partition: &str, settings: &str| Made {
            name: "event_rows".to_owned(),
            engine: engine.to_owned(),
            engine_full: format!("{engine} ORDER BY ({key}){settings}"),
            sorting_key: key.to_owned(),
            partition_key: partition.to_owned(),
        };
        let (window, none) = (
            " SETTINGS index_granularity = 1, non_replicated_deduplication_window = 9, fsync_after_insert = 1, \
             fsync_part_directory = true",
            "",
        );
        let durable = " SETTINGS fsync_after_insert = 1, fsync_part_directory = 1";
        let unsafe_setting =
            " SETTINGS non_replicated_deduplication_window = 9, fsync_after_insert = 1, fsync_part_directory = 0";
        let replicated = "ReplicatedReplacingMergeTree";
        let off = " SETTINGS replicated_deduplication_window = 0";
        for (made, problem) in [
            (with("ReplacingMergeTree", "a, b", none, window), none),
            (with(replicated, "a, b", none, none), none),
            (with(replicated, "a, b", none, off), "replicated_deduplication_window"),
            (
                with("ReplacingMergeTree", "a, b", none, durable),
                "non_replicated_deduplication_window",
            ),
            (
                with("ReplacingMergeTree", "a, b", none, unsafe_setting),
                "no fsync_part_directory",
            ),
            (with("ReplacingMergeTree", "a, b", none, none), "no fsync_after_insert"),
            (
                with(
                    "ReplacingMergeTree",
                    "a, b",
                    none,
                    &format!("{durable}, non_replicated_deduplication_window = 0"),
                ),
                "or 0",
            ),
            (with("ReplacingMergeTree", "a", none, window), "sorted by (a)"),
            (with("ReplacingMergeTree", "a, b", "a", window), "partitioned by a"),
            (with("MergeTree", "a, b", none, window), "has engine MergeTree"),
        ] {
            let found = made.problem("a, b", true).unwrap_or_default();
            assert!(
                found.is_empty() == problem.is_empty() && found.contains(problem),
                "{found}"
            );
        }
    }

    #[test]
    fn every_statement_can_be_run_again() {
        for (index, (version, name, text)) in MIGRATIONS.iter().enumerate() {
            assert_eq!(*version as usize, index + 1, "{name}");
            for statement in statements(text) {
                let again = ["CREATE TABLE IF NOT EXISTS ", "CREATE OR REPLACE VIEW "];
                assert!(again.iter().any(|start| statement.starts_with(start)), "{statement}");
                assert!(statement.contains("\nCOMMENT '"), "{statement}");
            }
        }
    }
}
