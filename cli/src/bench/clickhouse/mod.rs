//! ClickHouse beside the log, on an engine of its own: nobody's databases are touched. Beside the projector, and beside the
//! API that takes measurements of engagement, a bare insert of the same rows into tables of the same shape, in turns.

mod delay;
mod engagement;
mod engine;
mod projector;
mod queries;
mod rebuild;
mod report;
mod rows;

pub(super) use report::ClickHouseReport;

use super::meter::Meter;
use super::server::Server;
use super::{BenchArgs, log, projections};
use crate::Error;
use engine::Engine;
use std::sync::Arc;
use std::time::{Duration, Instant};
use viral_commands::Vault;
use viral_projections::ClickHouse;
use viral_store::{EventStore, Position, PostgresStore};

/// How long the watermark may stay where it is.
const PATIENCE: Duration = Duration::from_secs(60);

/// What everything here is measured on.
struct Bed<'a> {
    server: &'a Server,
    engine: Engine,
    store: Arc<PostgresStore>,
    /// The superuser's URL of the log's database.
    url: String,
}

/// Measures ClickHouse; nothing where no engine can be started, which is told.
pub(super) async fn measure(server: &Server, args: &BenchArgs) -> Result<Option<ClickHouseReport>, Error> {
    let engine = match Engine::start(&server.folder().join("clickhouse-home")).await {
        Ok(engine) => engine,
        Err(problem) => {
            eprintln!("ClickHouse is not measured: {problem}");
            return Ok(None);
        }
    };
    let (store, url) = server.log().await?;
    let bed = Bed {
        server,
        engine,
        store,
        url,
    };
    let measured = bed.measure(args).await;
    bed.engine.stop().await?;
    measured.map(Some)
}

impl Bed<'_> {
    async fn measure(&self, args: &BenchArgs) -> Result<ClickHouseReport, Error> {
        eprintln!(
            "filling a log with {} events of campaigns for ClickHouse",
            args.published_events
        );
        let vault = Vault::new(self.store.clone(), &projections::MASTER_KEY);
        projections::fill(self.log(), vault, args.published_events).await?;
        let version = ClickHouse::connect(&self.engine.url("default"))?.version().await?;
        let projector = projector::measure(self).await?;
        let engagement = engagement::measure(self, projector::LAST).await?;
        let queries = queries::measure(self, projector::LAST).await?;
        let delay = delay::measure(self).await?;
        eprintln!("filling the log up to {} events", args.events);
        log::fill(&self.log(), args.events).await?;
        let rebuild = rebuild::measure(self).await?;
        Ok(ClickHouseReport {
            version,
            projector,
            delay,
            rebuild,
            engagement,
            queries,
        })
    }

    fn log(&self) -> Arc<dyn EventStore> {
        self.store.clone()
    }

    /// Of the process `own`, on an engine that does nothing else.
    async fn meter(&self, own: u32) -> Result<Meter, Error> {
        self.engine.settle().await?;
        Meter::start(self.server, own, self.engine.pid()?).await
    }

    /// As if ClickHouse had never been filled from the log. Its own database is another one each time.
    async fn forget(&self) -> Result<(), Error> {
        let statement = "DELETE FROM projections WHERE name = 'clickhouse'";
        self.server.execute(&self.url, statement).await
    }
}

/// Waits until all rows up to a position are there.
async fn caught_up(clickhouse: &ClickHouse, position: Position) -> Result<(), Error> {
    let (mut at, mut moved) = (Position::START, Instant::now());
    while at < position {
        if moved.elapsed() > PATIENCE {
            return Err(stuck(at));
        }
        // Seldom: each look is work for the engine.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let found = clickhouse.watermark().await?;
        let found = found.map_or(Position::START, |(_, position)| position);
        if found > at {
            (at, moved) = (found, Instant::now());
        }
    }
    Ok(())
}

fn stuck(at: Position) -> Error {
    let seconds = PATIENCE.as_secs();
    Error::Other(format!("ClickHouse has been at position {at} for {seconds} s"))
}

fn failed(what: &str) -> impl Fn(clickhouse::error::Error) -> Error {
    let what = what.to_owned();
    move |error| Error::Other(format!("{what}: {error}"))
}
