//! What was measured, as JSON and as tables.

use super::clickhouse::ClickHouseReport;
use super::kafka::KafkaReport;
use super::machine::Machine;
use serde::Serialize;
use std::fmt::Write as _;

/// All figures of a run.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    pub(super) machine: Machine,
    pub(super) writer: Option<WriterReport>,
    pub(super) log: Option<LogReport>,
    pub(super) http: Option<HttpReport>,
    pub(super) delay: Option<DelayReport>,
    pub(super) projections: Option<ProjectionReport>,
    pub(super) kafka: Option<KafkaReport>,
    pub(super) clickhouse: Option<ClickHouseReport>,
}

/// The API over HTTP.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HttpReport {
    pub(super) rows: Vec<HttpRow>,
}

/// One kind of call.
#[derive(Debug, Clone, Serialize)]
pub(super) struct HttpRow {
    pub(super) call: &'static str,
    pub(super) connections: usize,
    pub(super) per_second: f64,
    /// Beside the endpoint that does nothing, at as many connections.
    pub(super) over_empty: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// Of a request, in microseconds.
    pub(super) platform_cpu_us: f64,
    pub(super) database_cpu_us: f64,
}

/// From the answer to a write until the read model has it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DelayReport {
    pub(super) quiet_p50_ms: f64,
    pub(super) quiet_p99_ms: f64,
    /// The same read, which waits for nothing.
    pub(super) quiet_read_p50_ms: f64,
    /// While 16 connections write.
    pub(super) loaded_p50_ms: f64,
    pub(super) loaded_p99_ms: f64,
    pub(super) loaded_read_p50_ms: f64,
}

/// The read models of a log. Rates are events per second, all read models together.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ProjectionReport {
    pub(super) events: u64,
    pub(super) rows: usize,
    pub(super) use_cases_per_second: f64,
    pub(super) follow_per_second: f64,
    pub(super) rebuild_per_second: f64,
    pub(super) rebuild_peak_memory_mib: f64,
    pub(super) diff_per_second: f64,
}

/// One load on the writer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LoadRow {
    pub(super) accounts: &'static str,
    pub(super) callers: u64,
    pub(super) per_second: f64,
    pub(super) mean_batch: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// The writer and what it is compared with. Rates are per second.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WriterReport {
    loads: Vec<LoadRow>,
    copy_in_one_transaction: f64,
    pub(super) copy_in_batches: f64,
    rows_in_a_copied_batch: usize,
    sql_function_hot: Option<f64>,
    sql_function_random: Option<f64>,
    /// At the most callers.
    hot_over_sql_function: Option<f64>,
    random_over_sql_function: Option<f64>,
    hot_over_copy_in_batches: f64,
    random_over_copy_in_batches: f64,
    bytes_per_transfer: f64,
}

impl WriterReport {
    pub(super) fn new(
        loads: Vec<LoadRow>,
        copy_in_one_transaction: f64,
        copy_in_batches: f64,
        rows_in_a_copied_batch: usize,
        sql: Option<(f64, f64)>,
        bytes_per_transfer: f64,
    ) -> WriterReport {
        let most = |accounts: &str| {
            let rows = loads.iter().filter(|row| row.accounts == accounts);
            rows.max_by_key(|row| row.callers).map_or(0.0, |row| row.per_second)
        };
        let (hot, random) = (most("hot"), most("random"));
        WriterReport {
            copy_in_one_transaction,
            copy_in_batches,
            rows_in_a_copied_batch,
            sql_function_hot: sql.map(|(hot, _)| hot),
            sql_function_random: sql.map(|(_, random)| random),
            hot_over_sql_function: sql.map(|(sql, _)| hot / sql),
            random_over_sql_function: sql.map(|(_, sql)| random / sql),
            hot_over_copy_in_batches: hot / copy_in_batches,
            random_over_copy_in_batches: random / copy_in_batches,
            bytes_per_transfer,
            loads,
        }
    }
}

/// A log of some size: what can be done with it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LogReport {
    pub(super) events: u64,
    pub(super) accounts: usize,
    pub(super) replay_per_second: f64,
    pub(super) verify_per_second: f64,
    pub(super) bare_read_per_second: f64,
    pub(super) replay_over_bare_read: f64,
    pub(super) verify_over_bare_read: f64,
    pub(super) start_from_snapshot_seconds: f64,
    pub(super) start_without_snapshot_seconds: f64,
    pub(super) import_rows: u64,
    pub(super) import_per_second: f64,
    pub(super) import_over_copy_in_batches: f64,
    pub(super) peak_memory_mib: f64,
}

impl Report {
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let machine = &self.machine;
        writeln!(
            text,
            "{} cores ({}), {} GiB, PostgreSQL {}, fdatasync {} µs, load before {}",
            machine.cores,
            machine.processor,
            machine.memory_gib,
            machine.postgresql,
            machine.fdatasync_us,
            machine.load_before
        )?;
        if let Some(writer) = &self.writer {
            writer.write(text)?;
        }
        if let Some(log) = &self.log {
            log.write(text)?;
        }
        if let Some(http) = &self.http {
            http.write(text)?;
        }
        if let Some(delay) = &self.delay {
            delay.write(text)?;
        }
        if let Some(projections) = &self.projections {
            projections.write(text)?;
        }
        if let Some(kafka) = &self.kafka {
            kafka.write(text)?;
        }
        match &self.clickhouse {
            Some(clickhouse) => clickhouse.write(text),
            None => Ok(()),
        }
    }
}

impl WriterReport {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "\naccounts  callers  transfers/s  mean batch  p50 ms  p99 ms")?;
        for row in &self.loads {
            let LoadRow {
                accounts,
                callers,
                per_second,
                mean_batch,
                p50_ms,
                p99_ms,
            } = row;
            writeln!(
                text,
                "{accounts:<8}  {callers:>7}  {per_second:>11.0}  {mean_batch:>10.1}  {p50_ms:>6.2}  {p99_ms:>6.2}"
            )?;
        }
        let writer = self;
        writeln!(
            text,
            "\nbare COPY, one transaction     {:>9.0} rows/s",
            writer.copy_in_one_transaction
        )?;
        writeln!(
            text,
            "bare COPY, {:>4} rows each      {:>9.0} rows/s   writer at most callers: hot {:.2}, random {:.2} of it",
            writer.rows_in_a_copied_batch,
            writer.copy_in_batches,
            writer.hot_over_copy_in_batches,
            writer.random_over_copy_in_batches
        )?;
        match (writer.sql_function_hot, writer.sql_function_random) {
            (Some(hot), Some(random)) => writeln!(
                text,
                "SQL function, 16 clients       {hot:>9.0} hot/s, {random:.0} random/s   writer: {:.1} times, {:.1} times",
                writer.hot_over_sql_function.unwrap_or(0.0),
                writer.random_over_sql_function.unwrap_or(0.0)
            )?,
            _ => writeln!(text, "SQL function: not measured, there is no pgbench on this machine")?,
        }
        writeln!(
            text,
            "on disk                        {:>9.0} bytes/transfer",
            writer.bytes_per_transfer
        )
    }
}

impl LogReport {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        let log = self;
        writeln!(text, "\na log of {} events, {} accounts", log.events, log.accounts)?;
        writeln!(
            text,
            "bare read                      {:>9.0} events/s",
            log.bare_read_per_second
        )?;
        writeln!(
            text,
            "replay                         {:>9.0} events/s   {:.2} of bare read",
            log.replay_per_second, log.replay_over_bare_read
        )?;
        writeln!(
            text,
            "verify                         {:>9.0} events/s   {:.2} of bare read",
            log.verify_per_second, log.verify_over_bare_read
        )?;
        writeln!(
            text,
            "start                          {:>9.2} s from a snapshot, {:.2} s without",
            log.start_from_snapshot_seconds, log.start_without_snapshot_seconds
        )?;
        writeln!(
            text,
            "import of {} rows          {:>9.0} rows/s   {:.2} of bare COPY in batches",
            log.import_rows, log.import_per_second, log.import_over_copy_in_batches
        )?;
        writeln!(text, "peak memory of this process    {:>9.0} MiB", log.peak_memory_mib)
    }
}

impl HttpReport {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "\ncall                     connections  requests/s  of empty  p50 ms  p99 ms  platform µs  database µs"
        )?;
        for row in &self.rows {
            let HttpRow {
                call,
                connections,
                per_second,
                over_empty,
                p50_ms,
                p99_ms,
                platform_cpu_us,
                database_cpu_us,
            } = row;
            writeln!(
                text,
                "{call:<24} {connections:>11} {per_second:>11.0} {over_empty:>9.2} {p50_ms:>7.2} {p99_ms:>7.2} \
                 {platform_cpu_us:>12.0} {database_cpu_us:>12.0}"
            )?;
        }
        Ok(())
    }
}

impl DelayReport {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "\nfrom the answer to the read model  quiet: p50 {:.2} ms, p99 {:.2} ms (a read alone {:.2} ms)",
            self.quiet_p50_ms, self.quiet_p99_ms, self.quiet_read_p50_ms
        )?;
        writeln!(
            text,
            "                    16 connections write: p50 {:.2} ms, p99 {:.2} ms (a read alone {:.2} ms)",
            self.loaded_p50_ms, self.loaded_p99_ms, self.loaded_read_p50_ms
        )
    }
}

impl ProjectionReport {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "\na log of {} events of campaigns, {} rows in read models",
            self.events, self.rows
        )?;
        writeln!(
            text,
            "use cases, 64 at once          {:>9.0} events/s",
            self.use_cases_per_second
        )?;
        writeln!(
            text,
            "all read models follow         {:>9.0} events/s",
            self.follow_per_second
        )?;
        writeln!(
            text,
            "rebuild of all, one by one     {:>9.0} events/s   at most {:.0} MiB",
            self.rebuild_per_second, self.rebuild_peak_memory_mib
        )?;
        writeln!(
            text,
            "diff                           {:>9.0} events/s",
            self.diff_per_second
        )
    }
}
