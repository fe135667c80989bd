//! The writer, beside the ceiling below it (bare COPY) and the alternative to it (a function in SQL).

use super::figures::median;
use super::load::{self, Accounts, Load};
use super::report::{LoadRow, WriterReport};
use super::server::Server;
use super::{RUNS, bare_copy, sql_function};
use crate::Error;
use std::time::Duration;
use viral_commands::{Settings, Writer};
use viral_store::{EventStore as _, Position, StoredEvent};

const CALLERS: [u64; 4] = [1, 16, 64, 256];

pub(super) async fn measure(server: &Server, duration: Duration) -> Result<WriterReport, Error> {
    let mut loads = Vec::new();
    let mut sample = Vec::new();
    let mut bytes_per_transfer = 0.0;
    for accounts in [Accounts::Hot, Accounts::Random] {
        let (store, url) = server.log().await?;
        let (writer, task) = Writer::start(store.clone(), Settings::default()).await?;
        load::open_accounts(&writer).await?;
        let opened = store.head().await?.position;
        for callers in CALLERS {
            eprintln!("writer, {accounts:?} accounts, {callers} callers");
            let mut runs: Vec<Load> = Vec::new();
            for _ in 0..RUNS {
                server.settle().await?;
                runs.push(load::run(&writer, accounts, callers, duration).await?);
            }
            loads.push(row(accounts, callers, &mut runs));
        }
        // The rows that the writer itself has made, for the COPY beside it.
        sample = sample_of(store.as_ref(), opened).await?;
        let transfers = store.head().await?.position.0 - opened.0;
        bytes_per_transfer = table_bytes(store.as_ref()).await? / transfers as f64;
        drop(writer);
        // The task ends with its last handle; a panic in it would have failed the load.
        let _ = task.await;
        store.close().await;
        tracing::debug!(url, "measured");
    }
    let mean_batch = |accounts: Accounts| {
        let most = loads
            .iter()
            .filter(|row| row.accounts == accounts.name())
            .max_by_key(|row| row.callers);
        most.map_or(1.0, |row| row.mean_batch)
    };
    let batch = mean_batch(Accounts::Hot)
        .min(mean_batch(Accounts::Random))
        .round()
        .max(1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most the writer's largest batch
    let batch = batch as usize;
    eprintln!("bare COPY of {} rows", sample.len());
    let copy_whole = copy(server, &sample, sample.len()).await?;
    let copy_batched = copy(server, &sample, batch).await?;
    let sql = match sql_function::find_pgbench() {
        Some(pgbench) => Some((
            sql(server, &pgbench, sql_function::HOT, duration).await?,
            sql(server, &pgbench, sql_function::RANDOM, duration).await?,
        )),
        None => None,
    };
    Ok(WriterReport::new(
        loads,
        copy_whole,
        copy_batched,
        batch,
        sql,
        bytes_per_transfer,
    ))
}

fn row(accounts: Accounts, callers: u64, runs: &mut [Load]) -> LoadRow {
    let of = |figure: &mut dyn FnMut(&mut Load) -> f64, runs: &mut [Load]| {
        median(&runs.iter_mut().map(figure).collect::<Vec<_>>())
    };
    LoadRow {
        accounts: accounts.name(),
        callers,
        per_second: of(&mut |run| run.per_second(), runs),
        mean_batch: of(&mut |run| run.mean_batch, runs),
        p50_ms: of(&mut |run| run.latencies.percentile(0.50), runs),
        p99_ms: of(&mut |run| run.latencies.percentile(0.99), runs),
    }
}

/// Transfers of the log from its beginning on, renumbered for a log of their own.
async fn sample_of(store: &viral_store::PostgresStore, opened: Position) -> Result<Vec<StoredEvent>, Error> {
    let mut events = store.read_after(opened, 100_000).await?;
    for (index, event) in events.iter_mut().enumerate() {
        event.position = Position(index as u64 + 1);
        event.sequence = index as u64 + 1;
    }
    Ok(events)
}

async fn copy(server: &Server, events: &[StoredEvent], batch: usize) -> Result<f64, Error> {
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let (store, url) = server.log().await?;
        store.close().await;
        server.settle().await?;
        rates.push(bare_copy::run(&url, events, batch).await?);
    }
    Ok(median(&rates))
}

async fn sql(server: &Server, pgbench: &std::path::Path, script: &str, duration: Duration) -> Result<f64, Error> {
    eprintln!("plain SQL function under pgbench");
    let mut rates = Vec::new();
    for _ in 0..RUNS {
        let url = server.empty_database().await?;
        server.execute(&url, sql_function::LEDGER).await?;
        server.settle().await?;
        rates.push(sql_function::run(pgbench, &url, server.folder(), script, duration.as_secs().max(1)).await?);
    }
    Ok(median(&rates))
}

/// The size of the log's table with its indexes.
async fn table_bytes(store: &viral_store::PostgresStore) -> Result<f64, Error> {
    let size = sqlx::query_scalar::<_, i64>("SELECT pg_total_relation_size('events')").fetch_one(store.pool());
    Ok(size
        .await
        .map_err(|e| Error::Other(format!("the size of the log: {e}")))? as f64)
}
