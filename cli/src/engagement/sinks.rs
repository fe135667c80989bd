//! Where measurements go: the sinks of [`EngagementSink`].

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use viral_commands::{EngagementSink, SinkError};
use viral_domain::Measurement;
use viral_kafka::{EngagementTopic, KafkaError};
use viral_projections::{ClickHouse, EngagementTable, ProjectionError};

/// How many measurements are inserted into ClickHouse at once.
const GROUP: usize = 100_000;
/// How many requests wait for that.
const WAITING: usize = 256;

/// Into Kafka.
#[derive(Debug)]
pub(super) struct Kafka(pub(super) EngagementTopic);

/// Into PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres(pub(super) EngagementTable);

/// Into ClickHouse. What comes in during an insert goes in with the next one: each insert is a part that has to be merged.
#[derive(Debug)]
pub(super) struct Grouped {
    requests: mpsc::Sender<Request>,
}

struct Request {
    measurements: Vec<Measurement>,
    answer: oneshot::Sender<Result<(), SinkError>>,
}

impl Grouped {
    /// Its task ends when it is dropped.
    pub(super) fn new(clickhouse: ClickHouse) -> Grouped {
        let (requests, received) = mpsc::channel(WAITING);
        tokio::spawn(insert(clickhouse, received));
        Grouped { requests }
    }
}

async fn insert(clickhouse: ClickHouse, mut received: mpsc::Receiver<Request>) {
    while let Some(first) = received.recv().await {
        let mut measurements = first.measurements;
        let mut answers = vec![first.answer];
        while measurements.len() < GROUP
            && let Ok(next) = received.try_recv()
        {
            measurements.extend(next.measurements);
            answers.push(next.answer);
        }
        let inserted = clickhouse.insert_measurements(&measurements).await;
        let inserted = inserted.map_err(|error| of_projection(&error));
        for answer in answers {
            // Whoever no longer waits sends it again.
            let _ = answer.send(inserted.clone());
        }
    }
}

#[async_trait]
impl EngagementSink for Grouped {
    async fn take(&self, measurements: &[Measurement]) -> Result<(), SinkError> {
        let ended = || SinkError::Unavailable("nothing inserts into ClickHouse any more".to_owned());
        let (answer, answered) = oneshot::channel();
        let request = Request {
            measurements: measurements.to_vec(),
            answer,
        };
        self.requests.send(request).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

#[async_trait]
impl EngagementSink for Kafka {
    async fn take(&self, measurements: &[Measurement]) -> Result<(), SinkError> {
        self.0.send(measurements).await.map_err(|error| match error {
            KafkaError::Unavailable(why) => SinkError::Unavailable(why),
            error => SinkError::Refused(error.to_string()),
        })
    }
}

#[async_trait]
impl EngagementSink for Postgres {
    async fn take(&self, measurements: &[Measurement]) -> Result<(), SinkError> {
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
