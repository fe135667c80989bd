//! Measurements of engagement in this process: where they go, and what takes them on from there.
//!
//! The API gives them to Kafka, else to ClickHouse, else to a table of PostgreSQL. The role that projects reads Kafka's into
//! ClickHouse, and moves those of PostgreSQL once there is something else. A measurement may come twice on each of these
//! ways: it counts once wherever it ends.

mod consume;
mod sinks;

use crate::database::Database;
use crate::error::Error;
use crate::{platform, published};
use consume::Consumer;
use sqlx::PgPool;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use viral_commands::EngagementSink;
use viral_kafka::EngagementTopic;
use viral_projections::queries::Measurements;
use viral_projections::{EngagementTable, UnreadableRecords};
use viral_store::StoreError;
use viral_store::postgres::Leases;

/// The lease of the one process that takes measurements on.
const LEASE: &str = "engagement";
/// How often it is looked whether that lease is free, and whether something waits in PostgreSQL.
const LOOK: Duration = Duration::from_secs(2);
/// Pauses after errors, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));
/// How many measurements are moved at once.
const MOVED: u32 = 10_000;

/// Into table `engagement_metrics` of PostgreSQL, by a pool whose connections have the role `viral_app`.
pub fn into_postgres(pool: PgPool) -> Arc<dyn EngagementSink> {
    Arc::new(sinks::Postgres(EngagementTable::new(pool)))
}

/// Where measurements go that come in here.
pub(crate) fn sink(home: &Path, database: &Database) -> Result<Arc<dyn EngagementSink>, Error> {
    if let Some(cluster) = published::cluster(home) {
        return Ok(Arc::new(sinks::Kafka(EngagementTopic::new(&cluster)?)));
    }
    Ok(match platform::clickhouse(home)? {
        Some(clickhouse) => Arc::new(sinks::Grouped::new(clickhouse, database.store().source().to_owned())),
        None => into_postgres(database.pool()),
    })
}

/// Where pages find measurements.
pub(crate) fn measurements(home: &Path) -> Result<Measurements, Error> {
    Ok(match (platform::clickhouse(home)?, published::cluster(home)) {
        (Some(clickhouse), _) => Measurements::ClickHouse(Box::new(clickhouse)),
        (None, Some(_)) => Measurements::Kafka,
        (None, None) => Measurements::Postgres,
    })
}

/// What takes measurements on; nothing where they stay in PostgreSQL.
pub(crate) fn carrier(home: &Path, database: &Database) -> Result<Option<Carrier>, Error> {
    let (cluster, clickhouse) = (published::cluster(home), platform::clickhouse(home)?);
    if cluster.is_none() && clickhouse.is_none() {
        return Ok(None);
    }
    let pool = viral_projections::connect(database.app_url())?;
    let consumer = cluster.zip(clickhouse).map(|(cluster, clickhouse)| Consumer {
        cluster,
        clickhouse,
        unreadable: UnreadableRecords::new(pool.clone()),
        source: database.store().source().to_owned(),
    });
    Ok(Some(Carrier {
        leases: database.leases(),
        table: EngagementTable::new(pool),
        sink: sink(home, database)?,
        consumer,
    }))
}

/// Takes measurements on to where they belong.
#[derive(Debug)]
pub(crate) struct Carrier {
    leases: Leases,
    table: EngagementTable,
    sink: Arc<dyn EngagementSink>,
    consumer: Option<Consumer>,
}

impl Carrier {
    /// Works until `stop` says true, or nobody can say so any more. One process at a time does; whatever is away is waited
    /// for.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = self.hold() => {}
        }
    }

    /// Never ends by itself.
    async fn hold(&self) {
        let mut patience = Patience::default();
        loop {
            if let Err(error) = self.work(&mut patience).await {
                patience
                    .fails("measurements are not taken on", &error.to_string())
                    .await;
            }
        }
    }

    /// From the lease to its loss.
    async fn work(&self, patience: &mut Patience) -> Result<(), StoreError> {
        let mut lease = self.leases.open(LEASE).await?;
        while !lease.try_take().await? {
            tokio::time::sleep(LOOK).await;
        }
        patience.works("measurements are taken on again");
        let read = async {
            match &self.consumer {
                Some(consumer) => consumer.run().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            lost = lease.lost() => Err(lost),
            () = read => Ok(()),
            () = self.move_waiting() => Ok(()),
        }
    }

    /// Moves what waits in PostgreSQL, whenever something does. Never ends by itself.
    async fn move_waiting(&self) {
        let mut patience = Patience::default();
        loop {
            match self.try_move().await {
                Ok(0) => {
                    patience.works("measurements are moved again");
                    tokio::time::sleep(LOOK).await;
                }
                Ok(count) => tracing::info!(count, "measurements were moved out of PostgreSQL"),
                Err(error) => patience.fails("measurements wait in PostgreSQL", &error).await,
            }
        }
    }

    async fn try_move(&self) -> Result<usize, String> {
        let waiting = self.table.waiting(MOVED).await.map_err(|e| e.to_string())?;
        if !waiting.is_empty() {
            self.sink.take(&waiting).await.map_err(|e| e.to_string())?;
            self.table.moved(&waiting).await.map_err(|e| e.to_string())?;
        }
        Ok(waiting.len())
    }
}

/// Tells an error once, and waits longer each time. What has passed after the first pause is not told: at the start of a
/// platform tables may still be made.
#[derive(Debug)]
struct Patience {
    pause: Duration,
    failed: bool,
    told: Option<String>,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            pause: PAUSES.0,
            failed: false,
            told: None,
        }
    }
}

impl Patience {
    fn works(&mut self, again: &str) {
        if self.told.take().is_some() {
            tracing::info!("{again}");
        }
        self.pause = PAUSES.0;
        self.failed = false;
    }

    async fn fails(&mut self, what: &str, error: &str) {
        if self.failed && self.told.as_deref() != Some(error) {
            tracing::warn!(error, "{what}");
            self.told = Some(error.to_owned());
        }
        self.failed = true;
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
    }
}
