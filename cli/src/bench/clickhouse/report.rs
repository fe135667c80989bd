//! What was measured of ClickHouse.

use super::super::meter::{Compared, Cost};
use serde::Serialize;
use std::fmt::Write as _;

/// ClickHouse beside the log.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bench) struct ClickHouseReport {
    pub(super) version: String,
    pub(super) projector: Projector,
    pub(super) delay: DelayToView,
    pub(super) rebuild: Rebuild,
    /// Measurements through the API, beside a bare insert. The own process is the platform's.
    pub(super) engagement: Compared,
    pub(super) queries: Queries,
}

/// The projector from the beginning of a log to its end, beside a bare insert of the same rows.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Projector {
    pub(super) events: u64,
    /// Events, and entries of the ledger.
    pub(super) rows: u64,
    /// In how many inserts of events.
    pub(super) ranges: usize,
    /// Of a row.
    #[serde(flatten)]
    pub(super) compared: Compared,
}

/// From the answer of the API until the views have the event.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DelayToView {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    /// Of an event. The own process is the platform's.
    #[serde(flatten)]
    pub(super) cost: Cost,
}

/// A rebuild in a process of its own.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Rebuild {
    pub(super) events: u64,
    pub(super) seconds: f64,
    /// Of an event.
    #[serde(flatten)]
    pub(super) cost: Cost,
    pub(super) peak_mib: f64,
    /// The most that the engine had meanwhile.
    pub(super) engine_peak_mib: f64,
}

/// The worked queries of the documentation.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Queries {
    /// How many measurements of engagement there are.
    pub(super) measurements: u64,
    pub(super) queries: Vec<Query>,
}

/// One of them.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Query {
    pub(super) name: String,
    pub(super) seconds: f64,
}

impl ClickHouseReport {
    pub(in crate::bench) fn write(&self, text: &mut String) -> std::fmt::Result {
        let projector = &self.projector;
        writeln!(
            text,
            "\n{:<20} {:>9} {:>9} {:>10} {:>12}   ({} events, {} rows in {} ranges)",
            format!("ClickHouse {}", self.version),
            "rows/s",
            "own µs",
            "engine µs",
            "database µs",
            projector.events,
            projector.rows,
            projector.ranges
        )?;
        projector.compared.write(text, ("projector", "bare insert"))?;
        self.engagement.write(text, ("engagement by HTTP", "bare engagement"))?;
        let delay = &self.delay;
        writeln!(
            text,
            "from the API's answer to a row p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms, at {:.0} events/s{}",
            delay.p50_ms,
            delay.p99_ms,
            delay.max_ms,
            delay.cost.per_second,
            processors(&delay.cost)
        )?;
        let rebuild = &self.rebuild;
        writeln!(
            text,
            "rebuild of {} events  {:.1} s, {:.0} events/s, at most {:.0} MiB, the engine {:.0} MiB{}",
            rebuild.events,
            rebuild.seconds,
            rebuild.cost.per_second,
            rebuild.peak_mib,
            rebuild.engine_peak_mib,
            processors(&rebuild.cost)
        )?;
        writeln!(text, "seconds of a query on {} measurements", self.queries.measurements)?;
        for query in &self.queries.queries {
            writeln!(text, "{:>9.3}  {}", query.seconds, query.name)?;
        }
        Ok(())
    }
}

/// The times on the processors.
fn processors(cost: &Cost) -> String {
    let Cost {
        own_cpu_us,
        service_cpu_us,
        database_cpu_us,
        ..
    } = cost;
    format!(" (own {own_cpu_us:.0} µs, engine {service_cpu_us:.0} µs, database {database_cpu_us:.0} µs)")
}
