//! `viral bench`: figures of this machine, each beside something measured in the same run.
//!
//! Everything runs on a PostgreSQL of its own in the home, as it is shipped: with fsync, checksums and all triggers.

mod bare_copy;
mod figures;
mod load;
mod log;
mod machine;
mod report;
mod server;
mod sql_function;
mod writer;

use crate::Error;
use crate::run::print;
use clap::Args;
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
    /// Events in the log for replay, verify and start-up
    #[arg(long, default_value_t = 1_000_000)]
    pub events: u64,
    /// Rows of the journal that is imported
    #[arg(long, default_value_t = 100_000)]
    pub rows: u64,
    /// Only the writer and what it is compared with
    #[arg(long)]
    pub writer_only: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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
    let writer = writer::measure(server, duration).await?;
    let log = match args.writer_only {
        true => None,
        false => Some(log::measure(server, args.events, args.rows, writer.copy_in_batches).await?),
    };
    Ok(Report { machine, writer, log })
}
