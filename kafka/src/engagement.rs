//! Measurements of engagement in Kafka: topic [`ENGAGEMENT`], one record for each, keyed by `<platform>/<id>`.
//!
//! Whoever reads them may read some again: the same measurement counts once, and its highest version.

use crate::cluster::{ANSWER, Cluster, Quiet};
use crate::error::{KafkaError, is_missing_topic};
use crate::topics::ENGAGEMENT;
use chrono::DateTime;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::time::{Duration, Instant};
use viral_domain::Measurement;
use viral_domain::engagement::Recorded;

/// The version of the schema of the values.
pub const VERSION: &str = "1";
/// What the values are.
pub const CONTENT_TYPE: &str = "application/json";
/// How many bytes of values are read at once.
const MAX_BYTES: usize = 16 * 1_024 * 1_024;
/// The most characters that are told of what a record is not.
const LONGEST_PROBLEM: usize = 300;
/// How long a full queue is waited for before it is tried again.
const FULL: Duration = Duration::from_millis(5);

/// The JSON Schema (2020-12) of the values, which is checked in as `kafka/schemas/engagement.1.json`.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Measurement).to_value();
    crate::catalogue::state_ranges(&mut schema);
    schema["$id"] = json!(format!("urn:viral:engagement:{VERSION}"));
    schema["title"] = json!("engagement");
    schema.sort_all_objects();
    schema
}

/// Sends measurements.
#[derive(Clone)]
pub struct EngagementTopic {
    producer: FutureProducer<Quiet>,
}

impl fmt::Debug for EngagementTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngagementTopic").finish_non_exhaustive()
    }
}

impl EngagementTopic {
    /// In this cluster, which it connects to by and by.
    pub fn new(cluster: &Cluster) -> Result<EngagementTopic, KafkaError> {
        let producer = cluster.answering_producer()?;
        Ok(EngagementTopic { producer })
    }

    /// Sends measurements, and waits until every replica in sync has them.
    ///
    /// # Errors
    /// [`KafkaError`] if it is not known that all of them are there: some may be. Sending them again is right.
    pub async fn send(&self, measurements: &[Recorded]) -> Result<(), KafkaError> {
        let mut under_way = Vec::with_capacity(measurements.len());
        for Recorded { measurement, at } in measurements {
            let key = key(measurement);
            let value = serde_json::to_string(measurement).map_err(|e| KafkaError::Client(e.to_string()))?;
            let header = Header {
                key: "content-type",
                value: Some(CONTENT_TYPE),
            };
            let mut record = FutureRecord::to(ENGAGEMENT.name)
                .key(&key)
                .payload(&value)
                .timestamp(at.timestamp_millis())
                .headers(OwnedHeaders::new().insert(header));
            loop {
                match self.producer.send_result(record) {
                    Ok(delivery) => break under_way.push(delivery),
                    Err((ClientError::MessageProduction(Code::QueueFull), back)) => {
                        record = back;
                        tokio::time::sleep(FULL).await;
                    }
                    Err((error, _)) => return Err(refused(&error)),
                }
            }
        }
        for delivery in under_way {
            match delivery.await {
                Ok(Ok(_)) => {}
                Ok(Err((error, _))) => return Err(refused(&error)),
                Err(_) => return Err(KafkaError::Unavailable("the producer ended".to_owned())),
            }
        }
        Ok(())
    }
}

fn key(measurement: &Measurement) -> String {
    format!("{}/{}", measurement.platform, measurement.id)
}

fn refused(error: &ClientError) -> KafkaError {
    match error.rdkafka_error_code() {
        Some(code) if is_missing_topic(code) => KafkaError::NoTopic(ENGAGEMENT.name.to_owned()),
        Some(Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed) => {
            KafkaError::Denied(format!("topic {}: {error}", ENGAGEMENT.name))
        }
        _ => KafkaError::Unavailable(error.to_string()),
    }
}

/// A record of the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// What tells this record from another one at its offset, if the topic was made anew: its time, and SHA-256 of its value.
    pub fingerprint: String,
    /// What it says, or why it cannot be read.
    pub measurement: Result<Recorded, String>,
}

/// Reads measurements.
pub struct EngagementReader {
    consumer: BaseConsumer<Quiet>,
}

impl fmt::Debug for EngagementReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngagementReader").finish_non_exhaustive()
    }
}

impl EngagementReader {
    /// Reads from these offsets on, and partitions that are not named from their beginning; those whose offset is not
    /// there any more, too.
    ///
    /// # Errors
    /// [`KafkaError::NoTopic`] or [`KafkaError::Partitions`] if the topic is not as it must be.
    pub async fn open(cluster: &Cluster, from: Vec<(i32, i64)>) -> Result<EngagementReader, KafkaError> {
        let cluster = cluster.clone();
        crate::cluster::blocking(move || EngagementReader::open_now(&cluster, &from)).await
    }

    /// The next records: at most `limit`, and what comes within `linger` of the first. None if none comes within `wait`.
    pub async fn next(
        self,
        limit: usize,
        wait: Duration,
        linger: Duration,
    ) -> Result<(EngagementReader, Vec<Received>), KafkaError> {
        crate::cluster::blocking(move || {
            let received = self.read(limit, wait, linger)?;
            Ok((self, received))
        })
        .await
    }

    fn open_now(cluster: &Cluster, from: &[(i32, i64)]) -> Result<EngagementReader, KafkaError> {
        let consumer = cluster.forgiving_consumer()?;
        let metadata = consumer
            .fetch_metadata(Some(ENGAGEMENT.name), ANSWER)
            .map_err(|error| KafkaError::Unavailable(format!("{}: {error}", cluster.brokers())))?;
        crate::topics::all(&metadata, &[ENGAGEMENT])?;
        let mut list = TopicPartitionList::new();
        for partition in 0..ENGAGEMENT.partitions {
            let offset = from.iter().find(|(named, _)| *named == partition);
            let offset = offset.map_or(Offset::Beginning, |(_, offset)| Offset::Offset(*offset));
            list.add_partition_offset(ENGAGEMENT.name, partition, offset)?;
        }
        consumer.assign(&list)?;
        Ok(EngagementReader { consumer })
    }

    fn read(&self, limit: usize, wait: Duration, linger: Duration) -> Result<Vec<Received>, KafkaError> {
        let mut received = Vec::new();
        let mut deadline = Instant::now() + wait;
        let mut bytes = 0;
        while received.len() < limit && bytes < MAX_BYTES {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = match self.consumer.poll(left) {
                None => break,
                Some(Ok(message)) => message,
                // Brokers that are away are tried again by the client.
                Some(Err(error)) if error.rdkafka_error_code().is_some_and(crate::error::is_away) => {
                    tracing::debug!(%error, "measurements wait for Kafka");
                    continue;
                }
                Some(Err(error)) => return Err(refused(&error)),
            };
            if received.is_empty() {
                deadline = Instant::now() + linger;
            }
            let millis = message.timestamp().to_millis().unwrap_or_default();
            let value = message.payload().unwrap_or_default();
            bytes += value.len();
            received.push(Received {
                partition: message.partition(),
                offset: message.offset(),
                fingerprint: format!("{millis} {}", hex::encode(Sha256::digest(value))),
                measurement: read(value, millis),
            });
        }
        Ok(received)
    }
}

fn read(value: &[u8], millis: i64) -> Result<Recorded, String> {
    let measurement: Measurement = serde_json::from_slice(value).map_err(|e| {
        let why: String = e.to_string().chars().take(LONGEST_PROBLEM).collect();
        format!("it is no measurement: {why}")
    })?;
    // Whether its time was in the future was looked at when it came in.
    measurement
        .check(measurement.timestamp)
        .map_err(|invalid| invalid.to_string())?;
    let at = DateTime::from_timestamp_millis(millis).ok_or_else(|| "its time is out of range".to_owned())?;
    Ok(Recorded { measurement, at })
}

/// The first and the end offset of each partition, in their order.
pub async fn ends(cluster: &Cluster) -> Result<Vec<(i64, i64)>, KafkaError> {
    let cluster = cluster.clone();
    crate::cluster::blocking(move || {
        let consumer = cluster.consumer()?;
        let ends = (0..ENGAGEMENT.partitions).map(|partition| {
            let asked = consumer.fetch_watermarks(ENGAGEMENT.name, partition, ANSWER);
            asked.map_err(|error| refused(&error))
        });
        ends.collect()
    })
    .await
}
