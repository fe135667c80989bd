//! The relay: publishes what the store has, in order, and remembers nothing.
//!
//! Where it goes on it reads from the topics: the last event of each partition, compared with the store, says what that
//! partition has. One relay is active at a time, by a lease that its database session holds; the next one takes over
//! when that session ends. One that has lost its lease may still deliver what was under way, so an event may be there
//! twice, never out of order before its first occurrence, and never left out.

mod outstanding;
mod publish;
mod recheck;
mod start;

use crate::cluster::Cluster;
use crate::error::KafkaError;
use crate::topics;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use viral_store::postgres::{Lease, Leases};
use viral_store::{EventStore, Position};

/// How often a relay that waits looks whether the lease is free.
const LOOK: Duration = Duration::from_millis(250);
/// Pauses after errors that may pass, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// The lease of all relays of a log.
const LEASE: &str = "viral relay";

/// What a relay is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Another one is active, or the databases cannot be reached.
    #[default]
    Waiting,
    /// It publishes.
    Active,
    /// It does nothing until somebody has mended what is wrong.
    Stopped,
}

/// How a relay is getting on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// What it is doing.
    pub standing: Standing,
    /// Everything up to here is acknowledged by Kafka, as far as this relay knows.
    pub published: Position,
    /// What is wrong, if anything is.
    pub problem: Option<String>,
}

/// How the life of an active relay ends if nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was told to stop.
    Told,
    /// Another relay may be active now.
    LeaseLost,
}

/// Publishes a log.
#[derive(Debug)]
pub struct Relay {
    cluster: Cluster,
    store: Arc<dyn EventStore>,
    leases: Leases,
    status: watch::Sender<Status>,
}

impl Relay {
    /// A relay of the log of a store. All relays of a log must share the database of the leases.
    pub fn new(cluster: Cluster, store: Arc<dyn EventStore>, leases: Leases) -> Relay {
        Relay {
            cluster,
            store,
            leases,
            status: watch::Sender::default(),
        }
    }

    /// How it is getting on, now and later.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Publishes until `stop` says true, or nobody can say so any more. Whatever is away is waited for.
    ///
    /// # Errors
    /// What somebody has to mend: a topic is missing or set up wrongly, or it is not a copy of this store's log. Nothing
    /// is published then; calling it again looks again.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), KafkaError> {
        let mut pause = PAUSES.0;
        loop {
            match self.session(&mut stop).await {
                Ok(End::Told) => return Ok(()),
                Ok(End::LeaseLost) => {
                    self.tell(Standing::Waiting, None);
                    pause = PAUSES.0;
                }
                Err(error) if error.is_retryable() => {
                    // The brokers of topics that were made just now may not know yet whose they are.
                    if pause > PAUSES.0 {
                        tracing::warn!(%error, "the relay waits");
                    }
                    self.tell(Standing::Waiting, Some(error.to_string()));
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stop.wait_for(|stop| *stop) => return Ok(()),
                    }
                    pause = (pause * 2).min(PAUSES.1);
                }
                Err(error) => {
                    self.tell(Standing::Stopped, Some(error.to_string()));
                    return Err(error);
                }
            }
        }
    }

    fn tell(&self, standing: Standing, problem: Option<String>) {
        self.status.send_modify(|status| {
            status.standing = standing;
            status.problem = problem;
        });
    }

    /// From the lease to its end: one life of an active relay.
    async fn session(&self, stop: &mut watch::Receiver<bool>) -> Result<End, KafkaError> {
        let (lease, found) = tokio::select! {
            begun = self.begin() => begun?,
            // An error means that nobody is there any more who could say so: a reason to stop as well.
            _ = stop.wait_for(|stop| *stop) => return Ok(End::Told),
        };
        self.tell(Standing::Active, None);
        let published = found.tails.iter().copied().min().unwrap_or_default();
        self.status.send_modify(|status| status.published = published);
        tracing::info!(lowest_end = %published, "the relay publishes what each partition lacks");
        publish::run(&self.cluster, &self.store, found, &self.status, stop, lease).await
    }

    /// Everything that comes before publishing.
    async fn begin(&self) -> Result<(Lease, start::Found), KafkaError> {
        let lease = self.acquire().await?;
        topics::check(&self.cluster, &topics::TOPICS).await?;
        let found = start::examine(&self.cluster, self.store.as_ref()).await?;
        Ok((lease, found))
    }

    async fn acquire(&self) -> Result<Lease, KafkaError> {
        let mut lease = self.leases.open(LEASE).await?;
        let mut told = false;
        while !lease.try_take().await? {
            if !told {
                tracing::info!("another relay is active; this one waits");
                self.tell(Standing::Waiting, None);
                told = true;
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(lease)
    }
}
