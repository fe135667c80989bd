//! Where measurements go: the sinks of [`EngagementSink`].

use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use viral_commands::{EngagementSink, SinkError};
use viral_domain::engagement::Recorded;
use viral_kafka::{EngagementTopic, KafkaError};
use viral_projections::{ClickHouse, EngagementTable, ProjectionError};

/// From how many measurements on no more are added to an insert into ClickHouse.
const GROUP: usize = 100_000;
/// How many measurements wait for that, in all requests. What comes on top is refused at once: nothing is gained by memory.
const WAITING: usize = 200_000;

/// Into Kafka.
#[derive(Debug)]
pub(super) struct Kafka(pub(super) EngagementTopic);

/// Into PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres(pub(super) EngagementTable);

/// Into ClickHouse. What comes in during an insert goes in with the next one: each insert is a part that has to be merged.
#[derive(Debug)]
pub(super) struct Grouped {
    requests: mpsc::UnboundedSender<Request>,
    room: Arc<Semaphore>,
}

#[derive(Debug)]
struct Request {
    measurements: Vec<Recorded>,
    answer: oneshot::Sender<Result<(), SinkError>>,
    /// Given back when it is done with.
    _room: OwnedSemaphorePermit,
}

impl Grouped {
    /// Its task ends when it is dropped. Nothing is inserted into a ClickHouse that holds another log than `source`.
    pub(super) fn new(clickhouse: ClickHouse, source: String) -> Grouped {
        let (requests, received) = mpsc::unbounded_channel();
        tokio::spawn(insert(clickhouse, source, received));
        Grouped {
            requests,
            room: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

async fn insert(clickhouse: ClickHouse, source: String, mut received: mpsc::UnboundedReceiver<Request>) {
    while let Some(first) = received.recv().await {
        let mut count = first.measurements.len();
        let mut requests = vec![first];
        while count < GROUP
            && let Ok(next) = received.try_recv()
        {
            count += next.measurements.len();
            requests.push(next);
        }
        // Whoever no longer waits sends it again.
        requests.retain(|request| !request.answer.is_closed());
        let measurements: Vec<Recorded> = requests
            .iter_mut()
            .flat_map(|request| std::mem::take(&mut request.measurements))
            .collect();
        let inserted = async {
            clickhouse.check_log(&source).await?;
            clickhouse.insert_measurements(&measurements).await
        };
        let inserted = inserted.await.map_err(|error| of_projection(&error));
        for request in requests {
            let _ = request.answer.send(inserted.clone());
        }
    }
}

#[async_trait]
impl EngagementSink for Grouped {
    async fn take(&self, measurements: &[Recorded]) -> Result<(), SinkError> {
        let ended = || SinkError::Unavailable("nothing inserts into ClickHouse any more".to_owned());
        let full = || SinkError::Unavailable(format!("{WAITING} measurements wait for ClickHouse already"));
        let rows = u32::try_from(measurements.len()).map_err(|_| full())?;
        let room = self.room.clone().try_acquire_many_owned(rows).map_err(|_| full())?;
        let (answer, answered) = oneshot::channel();
        let request = Request {
            measurements: measurements.to_vec(),
            answer,
            _room: room,
        };
        self.requests.send(request).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

#[async_trait]
impl EngagementSink for Kafka {
    async fn take(&self, measurements: &[Recorded]) -> Result<(), SinkError> {
        self.0.send(measurements).await.map_err(|error| match error {
            KafkaError::Unavailable(why) => SinkError::Unavailable(format!("Kafka: {why}")),
            error => SinkError::Refused(error.to_string()),
        })
    }
}

#[async_trait]
impl EngagementSink for Postgres {
    async fn take(&self, measurements: &[Recorded]) -> Result<(), SinkError> {
        let kept = self.0.upsert(measurements).await;
        kept.map_err(|error| of_projection(&error))
    }
}

fn of_projection(error: &ProjectionError) -> SinkError {
    match error.is_retryable() {
        true => SinkError::Unavailable(error.to_string()),
        false => SinkError::Refused(error.to_string()),
    }
}
