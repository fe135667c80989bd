//! The published log in this process: the relay, and feeds from Kafka.

use crate::args::FeedFrom;
use crate::database::Database;
use crate::error::Error;
use crate::services;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use viral_kafka::{Cluster, KafkaError, KafkaFeeds, Relay, topics};
use viral_projections::UnreadableRecords;
use viral_store::feed::{Feeds, StoreFeed};

/// How often a relay in a whole platform looks again whether somebody has mended what stopped it.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How often topics are tried to be made while Kafka is away.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Kafka, if there is one.
pub(crate) fn cluster(home: &Path) -> Option<Cluster> {
    services::kafka_brokers(home).map(Cluster::new)
}

/// As [`cluster`], for whoever cannot do without.
pub(crate) fn needed_cluster(home: &Path) -> Result<Cluster, Error> {
    cluster(home).ok_or_else(|| {
        Error::Other(
            "no Kafka is known: set KAFKA_BROKERS to host:port, or start one with `make stack` for this home"
                .to_owned(),
        )
    })
}

/// What read models and workers follow.
pub(crate) fn feeds(home: &Path, database: &Database, from: FeedFrom) -> Result<Arc<dyn Feeds>, Error> {
    let store = database.background();
    Ok(match from {
        FeedFrom::Store => Arc::new(StoreFeed::new(store)),
        FeedFrom::Kafka => {
            let pool = viral_projections::connect(database.app_url())?;
            let unreadable = Arc::new(UnreadableRecords::new(pool));
            Arc::new(KafkaFeeds::new(needed_cluster(home)?, store, unreadable))
        }
    })
}

/// A relay of the log of this database.
pub(crate) fn relay(cluster: &Cluster, database: &Database) -> Relay {
    Relay::new(cluster.clone(), database.background(), database.leases())
}

/// Publishes until it is told to stop, as the only role of a process: what somebody has to mend ends it.
pub(crate) async fn run_alone(relay: Relay, stop: watch::Receiver<bool>) -> Result<(), Error> {
    Ok(relay.run(stop).await?)
}

/// Publishes until it is told to stop, beside other roles, which it must not disturb: it makes missing topics once, as a
/// start of the platform makes missing tables, and what somebody has to mend is told and looked at again.
pub(crate) async fn run_beside(cluster: Cluster, relay: Relay, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
    tokio::select! {
        () = make_topics(&cluster) => {}
        _ = stop.wait_for(|stop| *stop) => return Ok(()),
    }
    while let Err(error) = relay.run(stop.clone()).await {
        tracing::error!(%error, "nothing is published");
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
    }
    Ok(())
}

async fn make_topics(cluster: &Cluster) {
    let mut told = false;
    while let Err(error) = topics::create(cluster).await {
        let KafkaError::Unavailable(problem) = error else {
            tracing::error!(%error, "a topic is not as it must be");
            return;
        };
        if !told {
            tracing::warn!(problem, "Kafka cannot be reached: the log is published when it can");
            told = true;
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}
