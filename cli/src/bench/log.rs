//! A log of some size: replay, verify, start-up; and the import of a journal.

use super::figures::median;
use super::load::{self, Accounts};
use super::memory;
use super::report::LogReport;
use super::server::Server;
use super::{RUNS, load::Load};
use crate::Error;
use crate::poster::WriterPoster;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use viral_audit::import::{self, Options};
use viral_audit::{AsOf, Silent};
use viral_commands::{Settings, Writer};
use viral_store::{EventStore, Position};

pub(super) async fn measure(server: &Server, events: u64, rows: u64, copy_in_batches: f64) -> Result<LogReport, Error> {
    let (store, _) = server.log().await?;
    let store: Arc<dyn EventStore> = store;
    eprintln!("filling a log with {events} events");
    let accounts = fill(&store, events).await?;
    let events = store.head().await?.position.0;
    let start_from_snapshot_seconds = start(&store).await?;
    eprintln!("reading, replaying, verifying");
    let (mut bare, mut replays, mut verifies) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        read_all(store.as_ref()).await?;
        bare.push(events as f64 / began.elapsed().as_secs_f64());
        let began = Instant::now();
        viral_audit::replay(&store, AsOf::Head, &Silent).await?;
        replays.push(events as f64 / began.elapsed().as_secs_f64());
        let began = Instant::now();
        let verification = viral_audit::verify(&store, &Silent).await?;
        verifies.push(events as f64 / began.elapsed().as_secs_f64());
        if !verification.holds {
            return Err(Error::Other(format!(
                "the log of the benchmark does not hold: {verification:?}"
            )));
        }
    }
    let without = start_without_snapshots(&store).await?;
    let (bare, replay, verify) = (median(&bare), median(&replays), median(&verifies));
    let import = import(server, rows).await?;
    Ok(LogReport {
        events,
        accounts,
        replay_per_second: replay,
        verify_per_second: verify,
        bare_read_per_second: bare,
        replay_over_bare_read: replay / bare,
        verify_over_bare_read: verify / bare,
        start_from_snapshot_seconds,
        start_without_snapshot_seconds: without,
        import_rows: rows,
        import_per_second: import,
        import_over_copy_in_batches: import / copy_in_batches,
        peak_memory_mib: memory::peak_mib(std::process::id()),
    })
}

/// Transfers between many accounts, until the log is long enough; answers how many accounts there are.
pub(super) async fn fill(store: &Arc<dyn EventStore>, events: u64) -> Result<usize, Error> {
    let (writer, task) = Writer::start(store.clone(), Settings::default()).await?;
    load::open_accounts(&writer).await?;
    while store.head().await?.position.0 < events {
        let Load { .. } = load::run(&writer, Accounts::Random, 512, Duration::from_secs(1)).await?;
    }
    let accounts = writer.read(|book, _| book.account_count()).await?;
    drop(writer);
    // It ends with its last handle; a panic in it would have failed the load.
    let _ = task.await;
    Ok(accounts)
}

/// Seconds until a writer is ready.
async fn start(store: &Arc<dyn EventStore>) -> Result<f64, Error> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let (writer, task) = Writer::start(store.clone(), Settings::default()).await?;
        times.push(began.elapsed().as_secs_f64());
        drop(writer);
        let _ = task.await;
    }
    Ok(median(&times))
}

/// The same with nothing but the events.
async fn start_without_snapshots(store: &Arc<dyn EventStore>) -> Result<f64, Error> {
    let began = Instant::now();
    let mut state = viral_commands::BookAt::default();
    state.follow(store.as_ref(), store.head().await?.position).await?;
    Ok(began.elapsed().as_secs_f64())
}

async fn read_all(store: &dyn EventStore) -> Result<(), Error> {
    let mut position = Position::START;
    loop {
        let page = store.read_after(position, 2_048).await?;
        match page.last() {
            Some(last) => position = last.position,
            None => return Ok(()),
        }
    }
}

/// Rows of a journal per second.
async fn import(server: &Server, rows: u64) -> Result<f64, Error> {
    eprintln!("importing {rows} rows, {RUNS} times");
    let file = server.folder().join("journal.csv");
    write_journal(&file, rows).map_err(Error::io("the journal of the benchmark"))?;
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let (store, _) = server.log().await?;
        let store: Arc<dyn EventStore> = store;
        server.settle().await?;
        let (writer, task) = Writer::start(store.clone(), Settings::default()).await?;
        let poster = WriterPoster::new(writer);
        let options = Options {
            overdraft: vec!["*".to_owned()],
            rejects: Some(PathBuf::from("/dev/null")),
            ..Options::default()
        };
        let began = Instant::now();
        let report = import::journal(&file, &options, &store, &poster, &Silent).await?;
        rates.push(rows as f64 / began.elapsed().as_secs_f64());
        drop(poster);
        let _ = task.await;
        if report.posted != rows {
            return Err(Error::Other(format!(
                "the journal of the benchmark was not imported: {report:?}"
            )));
        }
    }
    Ok(median(&rates))
}

fn write_journal(file: &Path, rows: u64) -> std::io::Result<()> {
    let mut text = "entry_id,effective_date,debit_account,credit_account,amount,asset,description\n".to_owned();
    for row in 0..rows {
        let (month, day, customer) = (row % 12 + 1, row % 28 + 1, row * 7_919 % 600);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{row},2025-{month:02}-{day:02},bank:cash,customer:{customer},{row}.25,CZK,deposit"
        );
    }
    std::fs::write(file, text)
}
