//! `viral bench`: figures of this machine, each beside something measured in the same run.
//!
//! Everything runs on a PostgreSQL of its own in the home, as it is shipped: with fsync, checksums and all triggers. So
//! do a Kafka and a ClickHouse, where they can be started.

mod bare_copy;
mod clickhouse;
mod component;
mod cpu;
mod figures;
mod http;
mod kafka;
mod load;
mod log;
mod machine;
mod memory;
mod meter;
mod pace;
mod process;
mod projections;
mod rebuild_process;
mod report;
mod server;
mod sql_function;
mod writer;

use crate::Error;
use crate::run::print;
use clap::{Args, ValueEnum};
use report::Report;
use server::Server;
use std::path::Path;
use std::time::Duration;

/// What to measure, and how long.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Seconds of each load; three of each are run
    #[arg(long, default_value_t = 3)]
    pub seconds: u64,
    /// Events in the log for replay, verify and start-up, in the one that waits for Kafka, and in the one that ClickHouse
    /// is rebuilt from
    #[arg(long, default_value_t = 1_000_000)]
    pub events: u64,
    /// Rows of the journal that is imported
    #[arg(long, default_value_t = 100_000)]
    pub rows: u64,
    /// Events of campaigns in the log of the read models
    #[arg(long, default_value_t = 500_000)]
    pub campaign_events: u64,
    /// Events in the log that is published to Kafka, and in the one that ClickHouse is filled from
    #[arg(long, default_value_t = 300_000)]
    pub published_events: u64,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The writer, beside bare COPY and a function in SQL.
    Writer,
    /// Replay, verify, start-up, import; with the writer, which they are compared with.
    Log,
    /// The API over HTTP.
    Http,
    /// The read models.
    Projections,
    /// The published log, on a broker that the script of the source tree starts.
    Kafka,
    /// ClickHouse, on an engine that the script of the source tree starts.
    Clickhouse,
}

/// How often everything is measured; the figure is the median.
const RUNS: usize = 3;

/// Measures everything and prints the tables.
pub async fn run(home: &Path, args: &BenchArgs) -> Result<(), Error> {
    let server = Server::start(home).await?;
    let measured = measure(&server, args).await;
    server.stop().await?;
    let report = measured?;
    let text = match args.json {
        true => serde_json::to_string_pretty(&report).map_err(|e| Error::Other(e.to_string()))? + "\n",
        false => report.to_text(),
    };
    print(&text)
}

async fn measure(server: &Server, args: &BenchArgs) -> Result<Report, Error> {
    let duration = Duration::from_secs(args.seconds);
    let machine =
        machine::Machine::describe(server.folder(), server.version()).map_err(Error::io("describing the machine"))?;
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let writer = match wanted(Part::Writer) || wanted(Part::Log) {
        true => Some(writer::measure(server, duration).await?),
        false => None,
    };
    let log = match &writer {
        Some(writer) if wanted(Part::Log) => {
            Some(log::measure(server, args.events, args.rows, writer.copy_in_batches).await?)
        }
        _ => None,
    };
    let (http, delay) = match wanted(Part::Http) {
        true => http::measure(server, duration)
            .await
            .map(|(http, delay)| (Some(http), Some(delay)))?,
        false => (None, None),
    };
    let projections = match wanted(Part::Projections) {
        true => Some(projections::measure(server, args.campaign_events).await?),
        false => None,
    };
    let kafka = match wanted(Part::Kafka) {
        true => kafka::measure(server, args).await?,
        false => None,
    };
    let clickhouse = match wanted(Part::Clickhouse) {
        true => clickhouse::measure(server, args).await?,
        false => None,
    };
    Ok(Report {
        machine,
        writer,
        log,
        http,
        delay,
        projections,
        kafka,
        clickhouse,
    })
}
