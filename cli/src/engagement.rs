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
use std::time::{Duration, Instant};
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
/// After how long without an error the next one is a first one: longer than a pause and an attempt that hangs.
const CALM: Duration = Duration::from_secs(300);
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
        None => into_postgres(database.pool_for_reads()),
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

/// Tells an error once, and waits longer each time. One that does not come again is not told: at the start of a platform
/// tables may still be made.
#[derive(Debug)]
struct Patience {
    pause: Duration,
    failed: Option<Instant>,
    told: Option<String>,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            pause: PAUSES.0,
            failed: None,
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
    }

    async fn fails(&mut self, what: &str, error: &str) {
        if self.is_to_be_told(error, Instant::now()) {
            tracing::warn!(error, "{what}");
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
    }

    fn is_to_be_told(&mut self, error: &str, now: Instant) -> bool {
        let again = self.failed.is_some_and(|failed| now - failed < CALM);
        if !again {
            *self = Patience::default();
        }
        self.failed = Some(now);
        let news = again && self.told.as_deref() != Some(error);
        if news {
            self.told = Some(error.to_owned());
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::{CALM, Patience};
    use std::time::{Duration, Instant};

    #[test]
    fn what_lasts_is_told_whatever_works_meanwhile() {
        let (mut patience, mut now) = (Patience::default(), Instant::now());
        let mut fails = |patience: &mut Patience, error| {
            now += Duration::from_secs(60);
            patience.is_to_be_told(error, now)
        };
        assert!(!fails(&mut patience, "away"));
        patience.works("again");
        assert!(fails(&mut patience, "away"));
        assert!(!fails(&mut patience, "away"));
        assert!(fails(&mut patience, "full"));
        patience.works("again");
        assert!(fails(&mut patience, "full"));
    }

    #[test]
    fn after_a_calm_it_begins_anew() {
        let (mut patience, now) = (Patience::default(), Instant::now());
        assert!(!patience.is_to_be_told("away", now));
        patience.pause *= 2;
        assert!(!patience.is_to_be_told("away", now + CALM));
        assert_eq!(patience.pause, Patience::default().pause);
        assert!(patience.is_to_be_told("away", now + CALM + Duration::from_secs(1)));
    }
}
